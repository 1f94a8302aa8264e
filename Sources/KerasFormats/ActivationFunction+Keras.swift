import Graphs

extension ActivationFunction {
  /// The function that a layer's option says: a name, `null`, or an object with a class and options.
  init(_ value: JSON?, of options: LayerOptions) throws(WeightError) {
    guard let value, !value.isNull else {
      self = .linear
      return
    }
    if let name = value.string {
      self = try Self.named(name, of: options)
      return
    }
    guard let kind = value["class_name"]?.string else {
      throw options.failure("has an activation that is neither a name nor an object with a class")
    }
    if kind == "function" || kind == "__builtin__",
      let name = value["config"]?.string ?? value["config"]?["name"]?.string
    {
      self = try Self.named(name, of: options)
      return
    }
    let inner = LayerOptions(
      layer: options.layer, kind: kind, isKeras2: options.isKeras2, values: value["config"]?.object ?? [:])
    guard Activation.kerasClasses.contains(kind) else {
      self = try Self.named(kind, of: options)
      return
    }
    self = try Activation(inner).function
  }

  private static func named(_ name: String, of options: LayerOptions) throws(WeightError) -> ActivationFunction {
    switch name {
    case "linear": return .linear
    case "relu": return .relu()
    case "relu6": return .relu(maxValue: 6)
    case "leaky_relu": return .relu(negativeSlope: 0.2)
    case "elu": return .elu()
    case "sigmoid": return .sigmoid
    case "silu", "swish": return .silu
    case "hard_sigmoid": return options.isKeras2 ? .hardSigmoid(slope: 0.2, offset: 0.5) : .hardSigmoid()
    case "hard_silu", "hard_swish": return .hardSilu
    case "tanh": return .tanh
    case "gelu": return .gelu()
    case "softplus": return .softplus
    case "softmax": return .softmax
    default:
      throw options.failure(
        .unsupportedLayer, "has the activation \"\(name)\", which is not known; no foreign code is run")
    }
  }

  /// Keras 3's name of the function, nil if none says it with these numbers.
  var kerasName: String? {
    switch self {
    case .linear: "linear"
    case .relu(maxValue: nil, negativeSlope: 0, threshold: 0): "relu"
    case .relu(maxValue: 6, negativeSlope: 0, threshold: 0): "relu6"
    case .relu(maxValue: nil, negativeSlope: 0.2, threshold: 0): "leaky_relu"
    case .elu(alpha: 1): "elu"
    case .sigmoid: "sigmoid"
    case .silu: "silu"
    case .hardSigmoid(slope: 1 / 6, offset: 0.5): "hard_sigmoid"
    case .hardSilu: "hard_silu"
    case .tanh: "tanh"
    case .gelu(approximate: false): "gelu"
    case .softplus: "softplus"
    case .softmax: "softmax"
    case .relu, .elu, .hardSigmoid, .gelu: nil
    }
  }

  /// The option that says the function inside another layer.
  func kerasOption() throws(WeightError) -> JSON {
    guard let kerasName else {
      throw WeightError(.inexpressible, detail: "has the activation \(self), for which Keras 3 has no name")
    }
    return .string(kerasName)
  }
}
