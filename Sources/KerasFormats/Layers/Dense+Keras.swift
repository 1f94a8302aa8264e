import Graphs

extension Dense: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(
      units: try options.integer("units"), usesBias: try options.flag("use_bias", default: true),
      activation: try ActivationFunction(options["activation"], of: options))
  }

  func record() throws(WeightError) -> LayerRecord {
    LayerRecord(
      Self.kind,
      ["units": .integer(units), "activation": try activation.kerasOption(), "use_bias": .bool(usesBias)])
  }
}
