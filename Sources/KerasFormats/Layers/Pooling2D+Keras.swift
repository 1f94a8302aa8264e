import Graphs

extension MaxPooling2D: KerasLayer {
  static let kerasClasses = ["MaxPooling2D", "MaxPool2D"]

  init(_ options: LayerOptions) throws(WeightError) {
    let size = try options.size("pool_size", default: Size2D(2))
    self.init(poolSize: size, strides: try options.size("strides", default: size), padding: try options.padding())
  }

  func record() -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "pool_size": poolSize.option, "padding": .string(padding.rawValue), "strides": strides.option,
        "data_format": "channels_last",
      ])
  }
}

extension AveragePooling2D: KerasLayer {
  static let kerasClasses = ["AveragePooling2D", "AvgPool2D"]

  init(_ options: LayerOptions) throws(WeightError) {
    let size = try options.size("pool_size", default: Size2D(2))
    self.init(poolSize: size, strides: try options.size("strides", default: size), padding: try options.padding())
  }

  func record() -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "pool_size": poolSize.option, "padding": .string(padding.rawValue), "strides": strides.option,
        "data_format": "channels_last",
      ])
  }
}
