import Graphs
import Tensors

extension Graph {
  /// The node at which a classifier ends its trunk: the last image of more than one pixel on the way to the output.
  ///
  /// A network whose way to the output branches before that, or that has no such image, is a trunk as a whole.
  package var trunkEnd: Node.ID? {
    guard let output = outputs.first, outputs.count == 1 else { return nil }
    var node = output
    while true {
      let shape = nodes[node].outputShape
      if shape.rank == 3, shape[0] * shape[1] > 1 { return node }
      guard nodes[node].inputs.count == 1 else { return output }
      node = nodes[node].inputs[0]
      if layer(of: node) is Input { return output }
    }
  }

  /// Whether a rescaling or normalisation is the first thing that happens to the input.
  package var beginsWithPreprocessing: Bool {
    nodes.indices.contains { index in
      nodes[index].inputs.contains(where: inputs.contains)
        && (layer(of: index) is Rescaling || layer(of: index) is Normalization)
    }
  }
}
