import Graphs

/// A kind that Keras calls with a list of tensors.
protocol MergingLayer {}

extension Add: KerasLayer, MergingLayer {
  var followsAxes: Bool { true }

  init(_ options: LayerOptions) { self.init() }

  func record() -> LayerRecord { LayerRecord(Self.kind) }
}

extension Multiply: KerasLayer, MergingLayer {
  var followsAxes: Bool { true }

  init(_ options: LayerOptions) { self.init() }

  func record() -> LayerRecord { LayerRecord(Self.kind) }
}

extension ScaledAdd: KerasLayer, MergingLayer {
  var followsAxes: Bool { true }

  init(_ options: LayerOptions) throws(WeightError) { self.init(scale: try options.number("scale")) }

  func record() -> LayerRecord {
    LayerRecord(Self.kind, ["scale": JSON(scale)], module: "keras.src.applications.inception_resnet_v2")
  }
}

extension Concatenate: KerasLayer, MergingLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    // Keras counts the batch as axis 0.
    let axis = try options.integer("axis", default: -1)
    guard axis != 0 else {
      throw options.failure(.unsupportedLayer, "joins its inputs along the batch, which mixes samples")
    }
    self.init(axis: axis > 0 ? axis - 1 : axis)
  }

  func turned(rank: Int) -> (any KerasLayer)? { Concatenate(axis: axis.turned(rank: rank)) }

  func record() -> LayerRecord { LayerRecord(Self.kind, ["axis": .integer(axis >= 0 ? axis + 1 : axis)]) }
}

extension Subtract: KerasLayer, MergingLayer {
  var followsAxes: Bool { true }

  init(_ options: LayerOptions) { self.init() }

  func record() -> LayerRecord { LayerRecord(Self.kind) }
}

extension Average: KerasLayer, MergingLayer {
  var followsAxes: Bool { true }

  init(_ options: LayerOptions) { self.init() }

  func record() -> LayerRecord { LayerRecord(Self.kind) }
}

extension Maximum: KerasLayer, MergingLayer {
  var followsAxes: Bool { true }

  init(_ options: LayerOptions) { self.init() }

  func record() -> LayerRecord { LayerRecord(Self.kind) }
}

extension Minimum: KerasLayer, MergingLayer {
  var followsAxes: Bool { true }

  init(_ options: LayerOptions) { self.init() }

  func record() -> LayerRecord { LayerRecord(Self.kind) }
}

extension Dot: KerasLayer, MergingLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    guard options["axes"] != nil else { throw options.failure("lacks its axes") }
    self.init(
      axes: try options.sampleAxes("axes", default: []), normalizes: try options.flag("normalize", default: false))
  }

  func record() -> LayerRecord {
    let axes = axes.batchAxes
    return LayerRecord(
      Self.kind,
      [
        "axes": axes.count == 1 ? .integer(axes[0]) : .array(axes.map { .integer($0) }), "normalize": .bool(normalizes),
      ])
  }
}
