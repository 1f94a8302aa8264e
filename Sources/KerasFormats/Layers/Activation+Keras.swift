import Graphs

extension Activation: KerasLayer {
  static let kerasClasses = ["Activation", "ReLU", "LeakyReLU", "ELU"]

  var followsAxes: Bool { function.isElementwise }

  init(_ options: LayerOptions) throws(WeightError) {
    switch options.kind {
    case "ReLU":
      let limit = options["max_value"] == nil ? nil : try options.number("max_value", default: 0)
      self.init(
        .relu(
          maxValue: limit, negativeSlope: try options.number("negative_slope", default: 0),
          threshold: try options.number("threshold", default: 0)))
    case "LeakyReLU":
      // The option was called alpha before Keras 3.
      let old = try options.number("alpha", default: 0.3)
      self.init(.relu(negativeSlope: try options.number("negative_slope", default: old)))
    case "Clip":
      let low = try options.number("x_min", default: -.infinity)
      self.init(.clip(low: low, high: try options.number("x_max", default: .infinity)))
    case "ELU": self.init(.elu(alpha: try options.number("alpha", default: 1)))
    default:
      guard let value = options["activation"] else { throw options.failure("lacks its activation") }
      self.init(try ActivationFunction(value, of: options))
    }
  }

  func record() throws(WeightError) -> LayerRecord {
    if let name = function.kerasName { return LayerRecord("Activation", ["activation": .string(name)]) }
    switch function {
    case .relu(let maxValue, let negativeSlope, let threshold):
      return LayerRecord(
        "ReLU",
        [
          "max_value": maxValue.map { JSON($0) } ?? .null, "negative_slope": JSON(negativeSlope),
          "threshold": JSON(threshold),
        ])
    case .clip(let low, let high): return ActivationFunction.clipRecord(low: low, high: high)
    case .elu(let alpha): return LayerRecord("ELU", ["alpha": JSON(alpha)])
    default: return LayerRecord("Activation", ["activation": try function.kerasOption()])
    }
  }
}
