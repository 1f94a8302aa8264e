/// An operation between layers, such as `x + 3.0` or `keras.ops.mean`, which Keras saves as a node beside the layers.
///
/// It is read as the layer that computes the same: a constant becomes part of a `Rescaling`, two tensors meet in a merging
/// layer, a function becomes an activation; what no layer does becomes one of the kinds that stand for operations. Keras 3
/// names the classes of its `ops` modules, Keras 2 functions of TensorFlow.
struct OperatorNode {
  /// The module of JSON that says a layer by the name of an operation.
  static let module = "keras.ops"

  let name: String
  let function: String
  let config: JSON
  let calls: [Operands]

  /// The layer that computes the same as the node of this JSON; JSON of anything else comes back as it is.
  ///
  /// - Throws: ``WeightError`` with `unsupportedLayer`, naming the function.
  static func asLayer(_ json: JSON) throws(WeightError) -> JSON {
    guard let node = try OperatorNode(json) else { return json }
    return try node.layer()
  }

  private init?(_ json: JSON) throws(WeightError) {
    let kind = json["class_name"]?.string ?? ""
    config = json["config"] ?? [:]
    name = json["name"]?.string ?? config["name"]?.string ?? kind
    let nodes = json["inbound_nodes"]?.array ?? []
    if Self.isOperation(json, kind: kind, config: config, nodes: nodes) {
      function = kind
      calls = nodes.map { Operands(keras3: $0) }
    } else if kind == "TFOpLambda" || kind == "SlicingOpLambda" {
      function = config["function"]?.string ?? kind
      var calls: [Operands] = []
      for node in nodes { calls.append(try Operands(keras2: node, name: name)) }
      self.calls = calls
    } else {
      return nil
    }
  }

  /// Whether this is an operation of Keras 3.
  ///
  /// Its `.h5` files leave the modules out, which is why Keras itself cannot read them again; there an operation is what
  /// has a known name, is called as in Keras 3 and has no options of a layer.
  private static func isOperation(_ json: JSON, kind: String, config: JSON, nodes: [JSON]) -> Bool {
    if let module = json["module"]?.string {
      return module.hasPrefix("keras.src.ops.") || module.hasPrefix("keras.ops.")
    }
    return nodes.first?["args"] != nil && config["trainable"] == nil
      && json["registered_name"] == nil && (names.contains(kind) || activationNames[kind] != nil)
  }

  /// The operations of Keras 3 that are read, but for those that are plain functions.
  private static let names: Set = [
    "Add", "Subtract", "Multiply", "TrueDivide", "Divide", "Maximum", "Minimum", "Negative", "LeakyRelu", "Elu",
    "Softmax",
    "Gelu", "GetItem", "Flip", "Take", "Stack", "Concatenate", "Squeeze", "ExpandDims", "Reshape", "Transpose", "Cast",
    "Resize", "Clip", "Mean", "Sum", "Max", "Min",
  ]

  func failure(_ detail: String) -> WeightError {
    WeightError(.unsupportedLayer, object: "layer \(name) (\(function))", detail: detail)
  }
}

// MARK: - Layers that compute the same

extension OperatorNode {
  private func layer() throws(WeightError) -> JSON {
    guard let first = calls.first else { throw failure("is applied to nothing") }
    if let (kind, options) = activation {
      guard calls.allSatisfy({ $0.tensors.count == 1 && $0.others.isEmpty }) else {
        throw failure("takes one tensor and nothing else")
      }
      return layer(kind, options)
    }
    if let layer = try movement() { return layer }
    guard let arithmetic else { throw failure("is an operation of no layer that is known") }
    for case .other(let value) in first.operands {
      throw failure("is called with \(value.spoken), where tensors and numbers are supported")
    }
    for case .constant(_, let value) in first.operands where !value.isAlongLastAxis {
      throw failure("is called with numbers along another axis than the last, which is not supported")
    }
    switch (first.operands.first, first.operands.dropFirst().first) {
    case (.tensor, .tensor) where first.operands.count == 2:
      guard let kind = arithmetic.layerKind else { throw failure("of two tensors is not supported") }
      for call in calls where !call.areAlike { throw failure("takes tensors of different ranks") }
      return layer(kind, [:])
    case (.tensor, .constant(let constant, _)) where first.operands.count == 2 && calls.count == 1:
      return try withConstant(arithmetic, constant, isLeft: false)
    case (.constant(let constant, _), .tensor) where first.operands.count == 2 && calls.count == 1:
      return try withConstant(arithmetic, constant, isLeft: true)
    case (.tensor, nil) where arithmetic == .negate: return rescaling(([-1], [0]))
    default: throw failure("is applied to other things than two tensors or a tensor and a number")
    }
  }

  private func withConstant(
    _ arithmetic: Arithmetic, _ constant: [Float], isLeft: Bool
  ) throws(WeightError) -> JSON {
    if let factors = arithmetic.scaling(by: constant, isLeft: isLeft) { return rescaling(factors) }
    guard constant.count == 1, arithmetic != .divide else { throw failure("of a number and a tensor is not supported") }
    return arithmetic == .maximum ? clip(low: constant[0], high: nil) : clip(low: nil, high: constant[0])
  }

  private func rescaling(_ factors: (scale: [Float], offset: [Float])) -> JSON {
    layer(
      "Rescaling",
      ["scale": .array(factors.scale.map { JSON($0) }), "offset": .array(factors.offset.map { JSON($0) })])
  }

  /// The layer that cuts numbers to bounds.
  func clip(low: Float?, high: Float?) -> JSON {
    if low == 0 { return layer("ReLU", ["max_value": high.map { JSON($0) } ?? .null]) }
    return operation("Clip", ["x_min": low.map { JSON($0) } ?? .null, "x_max": high.map { JSON($0) } ?? .null])
  }

  /// A layer of the same name on the same tensors.
  func layer(_ kind: String, _ options: JSONObject, module: String = "keras.layers") -> JSON {
    var config = options
    config["name"] = .string(name)
    return [
      "module": .string(module), "class_name": .string(kind), "config": .object(config), "name": .string(name),
      "inbound_nodes": .array(calls.map(\.node)),
    ]
  }

  /// A layer of a kind that stands for one of Keras's operations, of the same name on the same tensors.
  func operation(_ kind: String, _ options: JSONObject) -> JSON { layer(kind, options, module: Self.module) }

  /// The arithmetic that is linear in each of its tensors, and what picks one of two.
  private enum Arithmetic {
    case add, subtract, multiply, divide, maximum, minimum, negate

    /// Keras's layer for two tensors.
    var layerKind: String? {
      switch self {
      case .add: "Add"
      case .subtract: "Subtract"
      case .multiply: "Multiply"
      case .maximum: "Maximum"
      case .minimum: "Minimum"
      case .divide, .negate: nil
      }
    }

    /// Factor and summand that do the same as a constant, which may stand to the left.
    func scaling(by constant: [Float], isLeft: Bool) -> (scale: [Float], offset: [Float])? {
      switch (self, isLeft) {
      case (.add, _): ([1], constant)
      case (.subtract, false): ([1], constant.map { -$0 })
      case (.subtract, true): ([-1], constant)
      case (.multiply, _): (constant, [0])
      case (.divide, false): (constant.map { 1 / $0 }, [0])
      case (.divide, true), (.maximum, _), (.minimum, _), (.negate, _): nil
      }
    }
  }

  private var arithmetic: Arithmetic? {
    switch function {
    case "Add", "__operators__.add", "math.add", "nn.bias_add": .add
    case "Subtract", "__operators__.subtract", "math.subtract": .subtract
    case "Multiply", "__operators__.multiply", "math.multiply": .multiply
    case "TrueDivide", "Divide", "__operators__.truediv", "math.truediv", "math.divide": .divide
    case "Maximum", "math.maximum": .maximum
    case "Minimum", "math.minimum": .minimum
    case "Negative", "math.negative": .negate
    default: nil
    }
  }

  /// The class and options of the layer that applies the function to every element.
  private var activation: (kind: String, options: JSONObject)? {
    if let name = Self.activationNames[function] { return ("Activation", ["activation": .string(name)]) }
    switch function {
    case "LeakyRelu": return ("LeakyReLU", ["negative_slope": config["negative_slope"] ?? .number(0.2)])
    case "Elu": return ("ELU", ["alpha": config["alpha"] ?? 1])
    case "Softmax": return ("Softmax", ["axis": config["axis"] ?? -1])
    case "Gelu": return ("Activation", ["activation": ["class_name": "gelu", "config": config]])
    default: return nil
    }
  }

  /// Functions without options, with Keras's names of the activations.
  private static let activationNames = [
    "Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Tanh": "tanh", "Silu": "silu", "Softplus": "softplus",
    "Softsign": "softsign", "Selu": "selu", "HardSigmoid": "hard_sigmoid", "HardSilu": "hard_silu", "Mish": "mish",
    "Exp": "exponential", "nn.relu": "relu", "nn.relu6": "relu6", "nn.sigmoid": "sigmoid",
    "math.sigmoid": "sigmoid", "nn.tanh": "tanh", "math.tanh": "tanh", "nn.silu": "silu", "nn.swish": "silu",
    "nn.softplus": "softplus", "math.softplus": "softplus", "nn.softsign": "softsign", "nn.selu": "selu",
    "nn.elu": "elu", "math.exp": "exponential",
  ]
}
