import Graphs

extension GlobalAveragePooling2D: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(keepsAxes: try options.flag("keepdims", default: false))
  }

  func record() -> LayerRecord {
    LayerRecord(Self.kind, ["data_format": "channels_last", "keepdims": .bool(keepsAxes)])
  }
}

extension GlobalMaxPooling2D: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(keepsAxes: try options.flag("keepdims", default: false))
  }

  func record() -> LayerRecord {
    LayerRecord(Self.kind, ["data_format": "channels_last", "keepdims": .bool(keepsAxes)])
  }
}
