import Graphs

extension Dropout: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    try options.refuse("noise_shape", unless: [], reason: "which is not supported")
    // Keras 1 called the rate p.
    self.init(rate: try options.number("rate", default: try options.number("p", default: 0)))
  }

  func record() -> LayerRecord { LayerRecord(Self.kind, ["rate": JSON(rate), "seed": nil, "noise_shape": nil]) }
}
