/// Arithmetic between layers, such as `x + 3.0`, which Keras saves as a node beside the layers.
///
/// It is read as the layer that computes the same: a constant becomes part of a `Rescaling`, two tensors meet in a merging
/// layer, a function becomes an activation. Keras 3 names the classes of its `ops` modules, Keras 2 functions of
/// TensorFlow.
struct OperatorNode {
  private let name: String
  private let function: String
  private let config: JSON
  private let calls: [Operands]

  /// What one application of an operator takes, in order.
  fileprivate struct Operands {
    enum Operand {
      case tensor(JSON)
      case constant([Float])
    }

    var operands: [Operand] = []
    var isKeras3: Bool
  }

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
    if let module = json["module"]?.string, module.hasPrefix("keras.src.ops.") || module.hasPrefix("keras.ops.") {
      function = kind
      var calls: [Operands] = []
      for node in nodes { calls.append(try Operands(keras3: node, name: name)) }
      self.calls = calls
    } else if kind == "TFOpLambda" || kind == "SlicingOpLambda" {
      function = config["function"]?.string ?? kind
      var calls: [Operands] = []
      for node in nodes { calls.append(try Operands(keras2: node, name: name)) }
      self.calls = calls
    } else {
      return nil
    }
  }

  private func failure(_ detail: String) -> WeightError {
    WeightError(.unsupportedLayer, object: "layer \(name) (\(function))", detail: detail)
  }
}

// MARK: - Layers that compute the same

extension OperatorNode {
  private func layer() throws(WeightError) -> JSON {
    guard let first = calls.first else { throw failure("is applied to nothing") }
    if let (kind, options) = activation {
      guard calls.allSatisfy({ $0.tensors.count == 1 && $0.operands.count == 1 }) else {
        throw failure("takes one tensor and nothing else")
      }
      return layer(kind, options)
    }
    guard let arithmetic else { throw failure("is an operation of no layer that is known") }
    switch (first.operands.first, first.operands.dropFirst().first) {
    case (.tensor, .tensor) where first.operands.count == 2:
      guard let kind = arithmetic.layerKind else { throw failure("of two tensors is not supported") }
      for call in calls where !call.areAlike { throw failure("takes tensors of different ranks") }
      return layer(kind, [:])
    case (.tensor, .constant(let constant)) where first.operands.count == 2 && calls.count == 1:
      return try rescaling(arithmetic.scaling(by: constant, isLeft: false))
    case (.constant(let constant), .tensor) where first.operands.count == 2 && calls.count == 1:
      return try rescaling(arithmetic.scaling(by: constant, isLeft: true))
    case (.tensor, nil) where arithmetic == .negate: return try rescaling(([-1], [0]))
    default: throw failure("is applied to other things than two tensors or a tensor and a number")
    }
  }

  private func rescaling(_ factors: (scale: [Float], offset: [Float])?) throws(WeightError) -> JSON {
    guard let factors else { throw failure("of a number and a tensor is not supported") }
    return layer(
      "Rescaling",
      ["scale": .array(factors.scale.map { JSON($0) }), "offset": .array(factors.offset.map { JSON($0) })])
  }

  /// A layer of the same name on the same tensors.
  private func layer(_ kind: String, _ options: JSONObject) -> JSON {
    var config = options
    config["name"] = .string(name)
    return [
      "module": "keras.layers", "class_name": .string(kind), "config": .object(config), "name": .string(name),
      "inbound_nodes": .array(calls.map(\.node)),
    ]
  }

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
    case "Add", "__operators__.add", "math.add": .add
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
    let names = [
      "Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Tanh": "tanh", "Silu": "silu", "Softplus": "softplus",
      "Softsign": "softsign", "Selu": "selu", "HardSigmoid": "hard_sigmoid", "HardSilu": "hard_silu", "Mish": "mish",
      "Exp": "exponential", "nn.relu": "relu", "nn.relu6": "relu6", "nn.sigmoid": "sigmoid",
      "math.sigmoid": "sigmoid", "nn.tanh": "tanh", "math.tanh": "tanh", "nn.silu": "silu", "nn.swish": "silu",
      "nn.softplus": "softplus", "math.softplus": "softplus", "nn.softsign": "softsign", "nn.selu": "selu",
      "nn.elu": "elu", "math.exp": "exponential",
    ]
    if let name = names[function] { return ("Activation", ["activation": .string(name)]) }
    switch function {
    case "LeakyRelu": return ("LeakyReLU", ["negative_slope": config["negative_slope"] ?? .number(0.2)])
    case "Elu": return ("ELU", ["alpha": config["alpha"] ?? 1])
    case "Softmax": return ("Softmax", ["axis": config["axis"] ?? -1])
    case "Gelu": return ("Activation", ["activation": ["class_name": "gelu", "config": config]])
    default: return nil
    }
  }
}

// MARK: - Operands

extension OperatorNode.Operands {
  /// What a node of Keras 3 takes.
  init(keras3 node: JSON, name: String) throws(WeightError) {
    isKeras3 = true
    for argument in node["args"]?.array ?? [] { try append(argument, name) }
    for member in node["kwargs"]?.object?.members ?? [] where !member.value.isNull { try append(member.value, name) }
  }

  /// What a node of Keras 2 takes: a tensor or a constant with everything else by name behind it.
  init(keras2 node: JSON, name: String) throws(WeightError) {
    isKeras3 = false
    // The tensor stands alone or in a list of one.
    guard let list = node.array, let parts = list.first?.array ?? (list.first == nil ? nil : list), parts.count >= 3
    else { throw Self.failure(name, "has inbound_nodes of no known form") }
    if parts[0].string == "_CONSTANT_VALUE" {
      try append(parts[2], name)
    } else {
      try append(.array(Array(parts[..<3])), name)
    }
    for member in parts.dropFirst(3).first?.object?.members ?? [] where member.key != "name" && !member.value.isNull {
      try append(member.value, name)
    }
  }

  private mutating func append(_ value: JSON, _ name: String) throws(WeightError) {
    if value["class_name"]?.string == "__keras_tensor__" || value.array?.first?.string != nil {
      operands.append(.tensor(value))
    } else if let numbers = value.numbers, !numbers.isEmpty {
      operands.append(.constant(numbers))
    } else {
      throw Self.failure(name, "is called with \(value.spoken), where tensors and numbers are supported")
    }
  }

  private static func failure(_ name: String, _ detail: String) -> WeightError {
    WeightError(.unsupportedLayer, object: "layer \(name)", detail: detail)
  }

  var tensors: [JSON] {
    operands.compactMap { if case .tensor(let json) = $0 { json } else { nil } }
  }

  /// Whether all tensors have one rank, as far as the file says.
  var areAlike: Bool { Set(tensors.compactMap { $0["config"]?["shape"]?.array?.count }).count <= 1 }

  /// The tensors as the application of a layer.
  var node: JSON {
    guard isKeras3 else { return .array(tensors) }
    return ["args": tensors.count == 1 ? .array(tensors) : [.array(tensors)], "kwargs": [:]]
  }
}
