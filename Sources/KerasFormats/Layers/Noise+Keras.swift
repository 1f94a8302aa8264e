import Graphs

extension Identity: KerasLayer {
  /// Besides `Identity` itself everything that does nothing in inference and is not wanted while a graph trains here.
  static let kerasClasses = [
    "Identity", "ActivityRegularization", "Masking", "AugMix", "CutMix", "MixUp", "RandAugment", "RandomBrightness",
    "RandomColorDegeneration", "RandomColorJitter", "RandomContrast", "RandomElasticTransform", "RandomErasing",
    "RandomFlip", "RandomGaussianBlur", "RandomGrayscale", "RandomHeight", "RandomHue", "RandomInvert",
    "RandomPerspective", "RandomPosterization", "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear",
    "RandomTranslation", "RandomWidth", "RandomZoom",
  ]

  var followsAxes: Bool { true }

  init(_ options: LayerOptions) throws(WeightError) {
    if options.kind == "Masking" {
      // Steps of zeros stay zeros; with another value Keras would set them to zero.
      guard try options.number("mask_value", default: 0) == 0 else {
        throw options.failure(.unsupportedLayer, "masks another value than 0, which is not supported")
      }
    }
    self.init()
  }

  func record() -> LayerRecord { LayerRecord(Self.kind) }
}

extension SpatialDropout2D: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(rate: try options.number("rate", default: try options.number("p", default: 0)))
  }

  func record() -> LayerRecord {
    var record = LayerRecord(Self.kind, ["rate": JSON(rate), "seed": nil, "data_format": "channels_last"])
    record.takesTrainable = false
    return record
  }
}

extension SpatialDropout1D: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(rate: try options.number("rate", default: try options.number("p", default: 0)))
  }

  func record() -> LayerRecord {
    var record = LayerRecord(Self.kind, ["rate": JSON(rate), "seed": nil])
    record.takesTrainable = false
    return record
  }
}

extension GaussianNoise: KerasLayer {
  var followsAxes: Bool { true }

  init(_ options: LayerOptions) throws(WeightError) {
    self.init(deviation: try options.number("stddev", default: try options.number("sigma", default: 0)))
  }

  func record() -> LayerRecord { LayerRecord(Self.kind, ["stddev": JSON(deviation), "seed": nil]) }
}

extension GaussianDropout: KerasLayer {
  var followsAxes: Bool { true }

  init(_ options: LayerOptions) throws(WeightError) {
    self.init(rate: try options.number("rate", default: try options.number("p", default: 0)))
  }

  func record() -> LayerRecord { LayerRecord(Self.kind, ["rate": JSON(rate), "seed": nil]) }
}

extension AlphaDropout: KerasLayer {
  var followsAxes: Bool { true }

  init(_ options: LayerOptions) throws(WeightError) {
    try options.refuse("noise_shape", unless: [], reason: "which is not supported")
    self.init(rate: try options.number("rate", default: try options.number("p", default: 0)))
  }

  func record() -> LayerRecord {
    LayerRecord(Self.kind, ["rate": JSON(rate), "noise_shape": nil, "seed": nil])
  }
}
