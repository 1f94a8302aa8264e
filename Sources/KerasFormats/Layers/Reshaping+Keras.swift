import Graphs

extension Flatten: KerasLayer {
  init(_ options: LayerOptions) { self.init() }

  func record() -> LayerRecord { LayerRecord(Self.kind, ["data_format": "channels_last"]) }
}

extension Reshape: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(targetShape: try options.integers("target_shape"))
  }

  func record() -> LayerRecord {
    LayerRecord(Self.kind, ["target_shape": .array(targetShape.map { .integer($0) })])
  }
}

extension Permute: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) { self.init(dimensions: try options.integers("dims")) }

  func record() -> LayerRecord { LayerRecord(Self.kind, ["dims": .array(dimensions.map { .integer($0) })]) }
}

extension RepeatVector: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) { self.init(count: try options.integer("n")) }

  func record() -> LayerRecord { LayerRecord(Self.kind, ["n": .integer(count)]) }
}
