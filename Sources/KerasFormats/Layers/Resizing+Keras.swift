import Graphs

extension Resizing: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    for key in ["crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"] {
      try options.refuse(key, unless: [false], reason: "which is not supported")
    }
    let word = try options.string("interpolation", default: "bilinear")
    guard let interpolation = UpSampling2D.Interpolation(rawValue: word) else {
      throw options.failure(.unsupportedLayer, "has interpolation \"\(word)\"; only nearest and bilinear are known")
    }
    self.init(
      size: Size2D(try options.integer("height"), try options.integer("width")), interpolation: interpolation)
  }

  func record() -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "height": .integer(size.height), "width": .integer(size.width),
        "interpolation": .string(interpolation.rawValue), "data_format": "channels_last",
      ])
  }
}

extension CenterCrop: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(size: Size2D(try options.integer("height"), try options.integer("width")))
  }

  func record() -> LayerRecord {
    LayerRecord(
      Self.kind, ["height": .integer(size.height), "width": .integer(size.width), "data_format": "channels_last"])
  }
}
