import Graphs

extension Graph {
  /// The same graph with the softmax taken off the given layers, which then put out logits.
  ///
  /// A stored model ends in probabilities, as stock Keras expects; training wants what stands before them, since softmax
  /// and cross-entropy together are exact where one after the other loses digits. Nodes, stages and parameters stay as
  /// they are, so that weights and node numbers serve both graphs.
  ///
  /// - Throws: `GraphError` with code `unknownName` for a layer that is not there, `invalidOption` for one that ends in
  ///   an activation other than softmax.
  public func withLogits(of outputLayers: [String]) throws(GraphError) -> Graph {
    var replaced: [String: any Layer] = [:]
    for name in outputLayers {
      guard let layer = self[layer: name] else {
        throw GraphError(.unknownName, subject: name, detail: "no layer has this name")
      }
      replaced[name] = try logits(of: layer, named: name)
    }
    var result = Graph(name: self.name)
    for (index, node) in nodes.enumerated() {
      if let input = layer(of: index) as? Input {
        try result.addInput(input, named: node.layer)
      } else if result[layer: node.layer] != nil {
        try result.applyAgain(node.layer, to: node.inputs)
      } else {
        try result.apply(replaced[node.layer] ?? layer(of: index), named: node.layer, to: node.inputs)
      }
    }
    result.outputs = outputs
    result.stages = stages
    result.modules = modules
    return result
  }
}

private func logits(of layer: any Layer, named name: String) throws(GraphError) -> any Layer {
  switch layer {
  case var dense as Dense where dense.activation == .softmax || dense.activation == .linear:
    dense.activation = .linear
    return dense
  case var conv as Conv2D where conv.activation == .softmax || conv.activation == .linear:
    conv.activation = .linear
    return conv
  case let activation as Activation where activation.function == .softmax || activation.function == .linear:
    return Activation(.linear)
  default:
    throw GraphError(.invalidOption, subject: name, detail: "a classifier ends in softmax, but this layer does not")
  }
}
