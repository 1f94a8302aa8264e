import Graphs

/// Turns Keras's ways to name a tensor into references.
struct ReferenceFinder {
  let model: ModelDescription
  let places: [String: Int]
  let callCounts: [Int]
  let isKeras2: Bool

  /// The tensors that one application of a layer takes.
  func inputs(of node: JSON, layer: LayerDescription) throws(WeightError) -> [TensorReference] {
    if node.object != nil {
      var result: [TensorReference] = []
      for argument in node["args"]?.array ?? [] { try append(argument, to: &result, layer) }
      for member in node["kwargs"]?.object?.members ?? [] {
        try append(named: member.key, member.value, to: &result, layer)
      }
      return result
    }
    guard let list = node.array else {
      throw WeightError(
        .invalidArchitecture, object: "layer \(layer.path)", detail: "has inbound_nodes of no known form")
    }
    let tensors = list.first?.string == nil ? list : [node]
    var result: [TensorReference] = []
    for tensor in tensors {
      result.append(try reference(tensor))
      for member in tensor.array?.dropFirst(3).first?.object?.members ?? [] {
        var further: [TensorReference] = []
        try append(named: member.key, member.value, to: &further, layer)
        result += further
      }
    }
    return result
  }

  private func append(
    named key: String, _ value: JSON, to result: inout [TensorReference], _ layer: LayerDescription
  ) throws(WeightError) {
    switch (key, value) {
    case (_, .null), ("training", .bool(false)): return
    case ("inputs", _): try append(value, to: &result, layer)
    case ("training", _) where !Self.dependsOnTraining(layer): return
    default:
      throw WeightError(
        .unsupportedLayer, object: "layer \(layer.path)",
        detail: "is called with \(key) = \(value.spoken), which is not supported")
    }
  }

  private static func dependsOnTraining(_ layer: LayerDescription) -> Bool {
    switch layer.content {
    case .layer(let layer):
      layer is Dropout || layer is BatchNormalization || layer is SpatialDropout1D || layer is SpatialDropout2D
        || layer is GaussianNoise || layer is GaussianDropout || layer is AlphaDropout
    case .model, .input: true
    }
  }

  private func append(
    _ value: JSON, to result: inout [TensorReference], _ layer: LayerDescription
  ) throws(WeightError) {
    if value.isNull { return }
    if let list = value.array {
      for element in list { try append(element, to: &result, layer) }
      return
    }
    guard value["class_name"]?.string == "__keras_tensor__", let history = value["config"]?["keras_history"]?.array,
      history.count == 3, let name = history[0].string, let call = history[1].integer, let output = history[2].integer
    else {
      throw WeightError(
        .unsupportedLayer, object: "layer \(layer.path)",
        detail: "is called with \(value.spoken), where only outputs of other layers are supported")
    }
    result.append(try reference(name, call: call, output: output))
  }

  /// The tensors in a list, or in lists or objects of them.
  func references(in value: JSON, key: String) throws(WeightError) -> [TensorReference] {
    if let object = value.object {
      var result: [TensorReference] = []
      for member in object.members.sorted(by: { $0.key < $1.key }) {
        result += try references(in: member.value, key: key)
      }
      return result
    }
    guard let list = value.array else {
      throw WeightError(.invalidArchitecture, object: "network \(model.name)", detail: "has no \(key)")
    }
    if list.first?.string != nil { return [try reference(value)] }
    var result: [TensorReference] = []
    for element in list { result += try references(in: element, key: key) }
    return result
  }

  private func reference(_ list: JSON) throws(WeightError) -> TensorReference {
    guard let parts = list.array, parts.count >= 3, let name = parts[0].string, let call = parts[1].integer,
      let output = parts[2].integer
    else {
      throw WeightError(
        .invalidArchitecture, object: "network \(model.name)", detail: "names a tensor by \(list.spoken)")
    }
    guard let place = places[name] else { throw unknown(name) }
    // In lists a nested network's own making counts as its first application, unless it was made without an input.
    var isCounted = false
    if case .model(let inner) = model.layers[place].content {
      isCounted = inner.kind == .functional || (isKeras2 && inner.knowsInput)
    }
    let shifted = isCounted && (0..<callCounts[place]).contains(call - 1) ? call - 1 : call
    return try reference(name, call: shifted, output: output)
  }

  private func reference(_ name: String, call: Int, output: Int) throws(WeightError) -> TensorReference {
    guard let place = places[name] else { throw unknown(name) }
    var outputCount = 1
    if case .model(let inner) = model.layers[place].content { outputCount = inner.outputs.count }
    guard (0..<callCounts[place]).contains(call), (0..<outputCount).contains(output) else {
      throw WeightError(
        .invalidArchitecture, object: "layer \(name)",
        detail: "has no output \(output) of application \(call), which another layer asks for")
    }
    return TensorReference(layer: place, call: call, output: output)
  }

  private func unknown(_ name: String) -> WeightError {
    WeightError(
      .invalidArchitecture, object: "layer \(name.prefix(200))", detail: "is named as an input, but is not there")
  }
}

extension ModelDescription {
  /// Whether the shape of the first input is written down.
  fileprivate var knowsInput: Bool {
    guard let input = inputs.first, case .input(let dimensions) = layers[input.layer].content else { return false }
    return dimensions != nil
  }
}
