import Graphs

extension Graph {
  /// The nodes in the order of Keras's `model.layers`, which official weight files follow.
  ///
  /// Keras gives each node a depth, the length of the longest way from it to an output, and lists the deepest first; nodes
  /// of one depth stand in the order in which a walk from the outputs back to the inputs, first input first, meets them.
  /// Branches of one block are thereby interleaved, and for InceptionV3, whose layers are numbered as they are made, the
  /// numbers come out of order. Nodes that no output needs come last.
  package var nodesInKerasOrder: [Node.ID] {
    var depths = Array(repeating: 0, count: nodes.count)
    for node in nodes.indices.reversed() {
      for input in nodes[node].inputs { depths[input] = max(depths[input], depths[node] + 1) }
    }
    var meetings: [Int?] = Array(repeating: nil, count: nodes.count)
    var met = 0
    var open = Array(outputs.reversed())
    while let node = open.popLast() {
      guard meetings[node] == nil else { continue }
      meetings[node] = met
      met += 1
      open.append(contentsOf: nodes[node].inputs.reversed())
    }
    return nodes.indices.sorted { left, right in
      let (first, second) = (meetings[left], meetings[right])
      guard let first, let second else { return first == nil && second == nil ? left < right : first != nil }
      return depths[left] != depths[right] ? depths[left] > depths[right] : first < second
    }
  }

  /// The same network with its nodes and layers in Keras's order; for graphs without shared layers and stages, and
  /// without modules unless the order is right already.
  package func inKerasOrder() throws(GraphError) -> Graph {
    let order = nodesInKerasOrder
    if order == Array(nodes.indices) { return self }
    precondition(nodes.count == layerNames.count && stages.isEmpty && modules.isEmpty, "a graph as it was just built")
    var result = Graph(name: name)
    var places = Array(repeating: 0, count: nodes.count)
    for index in order {
      let node = nodes[index]
      if let input = layer(of: index) as? Input {
        places[index] = try result.addInput(input, named: node.layer)
      } else {
        places[index] = try result.apply(layer(of: index), named: node.layer, to: node.inputs.map { places[$0] })
      }
    }
    result.outputs = outputs.map { places[$0] }
    return result
  }
}
