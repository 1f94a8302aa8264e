import Tensors

extension Graph {
  /// The part of the graph that the given nodes depend on, with them as outputs.
  ///
  /// Stages keep those of their layers that remain.
  public func cut(at outputs: [Node.ID]) -> Graph {
    var needed = Set(outputs)
    for node in nodes.indices.reversed() where needed.contains(node) { needed.formUnion(nodes[node].inputs) }
    return rebuilt(keeping: needed, outputs: outputs)
  }

  /// The same graph for inputs of another shape; only a single input may change.
  ///
  /// - Throws: `GraphError` with code `unfitInput` where a layer cannot take the new shapes, `unfitParameter` where a
  ///   parameter would change its shape, as behind a flatten.
  public func resized(to shape: Shape) throws(GraphError) -> Graph {
    guard inputs.count == 1, let name = nodes.indices.contains(inputs[0]) ? nodes[inputs[0]].layer : nil,
      let input = self[layer: name] as? Input
    else {
      throw GraphError(.unfitInput, subject: self.name, detail: "has \(inputs.count) inputs, so none can be resized")
    }
    if input.shape == shape { return self }
    var result = Graph(name: self.name)
    for (index, node) in nodes.enumerated() {
      if index == inputs[0] {
        try result.addInput(Input(shape: shape, freeAxes: input.freeAxes), named: name)
      } else if result[layer: node.layer] != nil {
        try result.applyAgain(node.layer, to: node.inputs)
      } else {
        try result.apply(layer(of: index), named: node.layer, to: node.inputs)
        let before = parameters(of: node.layer)
        guard result.parameters(of: node.layer) == before else {
          throw GraphError(
            .unfitParameter, subject: node.layer, detail: "its weights belong to inputs of \(input.shape), not \(shape)"
          )
        }
      }
    }
    result.outputs = outputs
    result.stages = stages
    result.modules = modules
    return result
  }

  private func rebuilt(keeping kept: Set<Node.ID>, outputs: [Node.ID]) -> Graph {
    var result = Graph(name: name)
    var places: [Node.ID: Node.ID] = [:]
    for (index, node) in nodes.enumerated() where kept.contains(index) {
      let inputs = node.inputs.compactMap { places[$0] }
      do {
        let place =
          if let input = layer(of: index) as? Input {
            try result.addInput(input, named: node.layer)
          } else if result[layer: node.layer] != nil {
            try result.applyAgain(node.layer, to: inputs)
          } else {
            try result.apply(layer(of: index), named: node.layer, to: inputs)
          }
        places[index] = place
      } catch {
        preconditionFailure("a part of a graph fits as the whole did: \(error)")
      }
    }
    result.outputs = outputs.compactMap { places[$0] }
    let names = Set(result.layerNames)
    result.stages = stages.compactMap { stage in
      let layers = stage.layers.filter(names.contains)
      return layers.isEmpty ? nil : Stage(name: stage.name, layers: layers)
    }
    result.modules = modules.compactMap { module in
      guard module.nodes.allSatisfy(kept.contains) else { return nil }
      var moved = module
      moved.inputs = module.inputs.compactMap { places[$0] }
      moved.nodes = module.nodes.compactMap { places[$0] }
      moved.outputs = module.outputs.compactMap { places[$0] }
      return moved.inputs.count == module.inputs.count ? moved : nil
    }
    return result
  }
}

extension Graph {
  /// What remains to be computed once the values of some nodes are known: they become inputs, in the given order.
  ///
  /// An input of the whole keeps its name; others are named after the number of the node that they stand for.
  package func continuation(from known: [Node.ID]) -> Graph {
    var result = Graph(name: name)
    var places: [Node.ID: Node.ID] = [:]
    var needed = Set(outputs)
    for node in nodes.indices.reversed() where needed.contains(node) && !known.contains(node) {
      needed.formUnion(nodes[node].inputs)
    }
    do {
      for node in known {
        let input = Input(shape: nodes[node].outputShape)
        places[node] = try result.addInput(
          input, named: layer(of: node) is Input ? nodes[node].layer : "\(node)/output")
      }
      for node in nodes.indices where needed.contains(node) && places[node] == nil {
        let inputs = nodes[node].inputs.compactMap { places[$0] }
        let name = nodes[node].layer
        places[node] =
          result[layer: name] == nil
          ? try result.apply(layer(of: node), named: name, to: inputs) : try result.applyAgain(name, to: inputs)
      }
    } catch {
      preconditionFailure("a part of a graph fits as the whole did: \(error)")
    }
    result.outputs = outputs.compactMap { places[$0] }
    let names = Set(result.layerNames)
    result.stages = stages.compactMap { stage in
      let layers = stage.layers.filter(names.contains)
      return layers.isEmpty ? nil : Stage(name: stage.name, layers: layers)
    }
    return result
  }
}
