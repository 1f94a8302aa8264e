import Graphs

extension UpSampling2D: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    let word = try options.string("interpolation", default: "nearest")
    guard let interpolation = Interpolation(rawValue: word) else {
      throw options.failure(.unsupportedLayer, "has interpolation \"\(word)\"; only nearest and bilinear are known")
    }
    self.init(size: try options.size("size", default: Size2D(2)), interpolation: interpolation)
  }

  func record() -> LayerRecord {
    LayerRecord(
      Self.kind,
      ["size": size.option, "data_format": "channels_last", "interpolation": .string(interpolation.rawValue)])
  }
}
