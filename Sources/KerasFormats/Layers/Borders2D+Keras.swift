import Graphs

extension ZeroPadding2D: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(padding: options["padding"] == nil ? Insets2D(1) : try options.insets("padding"))
  }

  func record() -> LayerRecord {
    LayerRecord(Self.kind, ["padding": padding.option, "data_format": "channels_last"])
  }
}

extension Cropping2D: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) { self.init(cropping: try options.insets("cropping")) }

  func record() -> LayerRecord {
    LayerRecord(Self.kind, ["cropping": cropping.option, "data_format": "channels_last"])
  }
}

extension Insets2D {
  fileprivate var option: JSON { [[.integer(top), .integer(bottom)], [.integer(left), .integer(right)]] }
}
