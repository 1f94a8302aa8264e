extension OperatorNode {
  /// What one application of an operator takes, in order.
  struct Operands {
    enum Operand {
      case tensor(JSON)
      case constant([Float], JSON)
      case other(JSON)
    }

    private(set) var operands: [Operand] = []
    /// What is given by its name.
    private(set) var named: JSONObject = [:]
    private let isKeras3: Bool
  }
}

extension OperatorNode.Operands {
  /// What a node of Keras 3 takes.
  init(keras3 node: JSON) {
    isKeras3 = true
    for argument in node["args"]?.array ?? [] { append(argument) }
    append(named: node["kwargs"])
  }

  /// What a node of Keras 2 takes: a tensor, several or a constant, with everything else by name behind it.
  init(keras2 node: JSON, name: String) throws(WeightError) {
    isKeras3 = false
    // A tensor stands alone or in a list; behind each of several stands the same.
    let list = node.array ?? []
    let entries = list.first?.array == nil ? [list] : list.map { $0.array ?? [] }
    for entry in entries {
      guard entry.count >= 3 else {
        throw WeightError(.unsupportedLayer, object: "layer \(name)", detail: "has inbound_nodes of no known form")
      }
      append(entry[0].string == "_CONSTANT_VALUE" ? entry[2] : .array(Array(entry[..<3])))
    }
    append(named: entries.first?.dropFirst(3).first)
  }

  private mutating func append(named members: JSON?) {
    for member in members?.object?.members ?? [] where member.key != "name" && !member.value.isNull {
      // Numbers for each channel, which come last.
      if member.key == "data_format", member.value == "NHWC" { continue }
      named[member.key] = member.value
      append(member.value)
    }
  }

  private mutating func append(_ value: JSON) {
    if Self.isTensor(value) {
      operands.append(.tensor(value))
    } else if let list = value.array, !list.isEmpty, list.allSatisfy(Self.isTensor) {
      operands += list.map { .tensor($0) }
    } else if let numbers = value.numbers, !numbers.isEmpty {
      operands.append(.constant(numbers, value))
    } else {
      operands.append(.other(value))
    }
  }

  private static func isTensor(_ value: JSON) -> Bool {
    value["class_name"]?.string == "__keras_tensor__" || value.array?.first?.string != nil
  }

  var tensors: [JSON] {
    operands.compactMap { if case .tensor(let json) = $0 { json } else { nil } }
  }

  /// All that is no tensor.
  var others: [JSON] {
    operands.compactMap { operand in
      switch operand {
      case .tensor: nil
      case .constant(_, let json), .other(let json): json
      }
    }
  }

  /// Whether all tensors have one rank, as far as the file says.
  var areAlike: Bool { Set(tensors.compactMap { $0["config"]?["shape"]?.array?.count }).count <= 1 }

  /// The tensors as the application of a layer.
  var node: JSON {
    guard isKeras3 else { return .array(tensors) }
    return ["args": tensors.count == 1 ? .array(tensors) : [.array(tensors)], "kwargs": [:]]
  }
}

extension JSON {
  /// Whether numbers in lists of lists have an extent other than 1 in the innermost lists alone.
  var isAlongLastAxis: Bool {
    if let value = self["config"]?["value"] { return value.isAlongLastAxis }
    guard let list = array, let first = list.first, first.array != nil else { return true }
    return list.count == 1 && first.isAlongLastAxis
  }
}
