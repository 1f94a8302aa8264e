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
    if kind == "Softmax" {
      guard try inner.sampleAxes("axis", default: [-1]) == [-1] else {
        throw options.failure(.unsupportedLayer, "has a softmax over other axes than the last inside another layer")
      }
      self = .softmax
      return
    }
    guard Activation.kerasClasses.contains(kind) else {
      self = try Self.withOptions(kind, inner, of: options)
      return
    }
    self = try Activation(inner).function
  }

  /// A function whose options stand beside its name.
  private static func withOptions(
    _ name: String, _ inner: LayerOptions, of options: LayerOptions
  ) throws(WeightError) -> ActivationFunction {
    switch name {
    case "gelu": return .gelu(approximate: try inner.flag("approximate", default: false))
    case "leaky_relu": return .relu(negativeSlope: try inner.number("negative_slope", default: 0.2))
    case "elu": return .elu(alpha: try inner.number("alpha", default: 1))
    case "celu": return .celu(alpha: try inner.number("alpha", default: 1))
    case "hard_shrink": return .hardShrink(threshold: try inner.number("threshold", default: 0.5))
    case "soft_shrink": return .softShrink(threshold: try inner.number("threshold", default: 0.5))
    case "squareplus": return .squareplus(b: try inner.number("b", default: 4))
    case "threshold":
      return .threshold(try inner.number("threshold"), value: try inner.number("default_value"))
    case "relu":
      let limit = inner["max_value"] == nil ? nil : try inner.number("max_value", default: 0)
      return .relu(
        maxValue: limit, negativeSlope: try inner.number("negative_slope", default: 0),
        threshold: try inner.number("threshold", default: 0))
    default: return try named(name, of: options)
    }
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
    case "selu": return .selu
    case "celu": return .celu()
    case "softsign": return .softsign
    case "mish": return .mish
    case "exponential": return .exponential
    case "hard_tanh": return .hardTanh
    case "hard_shrink": return .hardShrink()
    case "soft_shrink": return .softShrink()
    case "tanh_shrink": return .tanhShrink
    case "squareplus": return .squareplus()
    case "sparse_plus": return .sparsePlus
    case "sparse_sigmoid": return .sparseSigmoid
    case "log_sigmoid": return .logSigmoid
    case "log_softmax": return .logSoftmax
    case "sparsemax": return .sparsemax
    case "glu":
      throw options.failure(
        .unsupportedLayer, "has the activation \"glu\", which halves the channels; Keras itself knows no shape for it")
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
    case .selu: "selu"
    case .celu(alpha: 1): "celu"
    case .softsign: "softsign"
    case .mish: "mish"
    case .exponential: "exponential"
    case .hardTanh: "hard_tanh"
    case .hardShrink(threshold: 0.5): "hard_shrink"
    case .softShrink(threshold: 0.5): "soft_shrink"
    case .tanhShrink: "tanh_shrink"
    case .squareplus(b: 4): "squareplus"
    case .sparsePlus: "sparse_plus"
    case .sparseSigmoid: "sparse_sigmoid"
    case .logSigmoid: "log_sigmoid"
    case .logSoftmax: "log_softmax"
    case .sparsemax: "sparsemax"
    case .relu, .clip, .elu, .hardSigmoid, .gelu, .celu, .hardShrink, .softShrink, .threshold, .squareplus: nil
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
