import Graphs

extension Dropout: KerasLayer {
  /// The shape of the mask of a layer that drops whole images: one number an image.
  private static let imageMask: JSON = [nil, 1, 1, 1]

  // ConvNeXt's own class drops whole images by another name of the same option.
  static let kerasClasses = ["Dropout", "StochasticDepth"]

  var followsAxes: Bool { true }

  init(_ options: LayerOptions) throws(WeightError) {
    if options.kind == "StochasticDepth" {
      self.init(rate: try options.number("drop_path_rate"), dropsWholeImages: true)
      return
    }
    try options.refuse("noise_shape", unless: [Self.imageMask], reason: "which is not supported")
    // Keras 1 called the rate p.
    let rate = try options.number("rate", default: try options.number("p", default: 0))
    self.init(rate: rate, dropsWholeImages: options["noise_shape"] != nil)
  }

  func record() -> LayerRecord {
    LayerRecord(
      Self.kind, ["rate": JSON(rate), "seed": nil, "noise_shape": dropsWholeImages ? Self.imageMask : .null])
  }
}
