import Graphs

extension Add: KerasLayer {
  init(_ options: LayerOptions) { self.init() }

  func record() -> LayerRecord { LayerRecord(Self.kind) }
}

extension Multiply: KerasLayer {
  init(_ options: LayerOptions) { self.init() }

  func record() -> LayerRecord { LayerRecord(Self.kind) }
}

extension ScaledAdd: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) { self.init(scale: try options.number("scale")) }

  func record() -> LayerRecord {
    LayerRecord(Self.kind, ["scale": JSON(scale)], module: "keras.src.applications.inception_resnet_v2")
  }
}

extension Concatenate: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    // Keras counts the batch as axis 0.
    let axis = try options.integer("axis", default: -1)
    guard axis != 0 else {
      throw options.failure(.unsupportedLayer, "joins its inputs along the batch, which mixes samples")
    }
    self.init(axis: axis > 0 ? axis - 1 : axis)
  }

  func record() -> LayerRecord { LayerRecord(Self.kind, ["axis": .integer(axis >= 0 ? axis + 1 : axis)]) }
}
