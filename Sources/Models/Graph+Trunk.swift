import Graphs

extension Graph {
  /// The node where the trunk ends and the classifier begins; nil where no node has an image.
  ///
  /// Where the family has named stages it is the last layer of the last one. Otherwise it is the last node that every way
  /// from the input to the outputs passes and whose output is still an image of more than one pixel.
  package var trunkEnd: Node.ID? {
    if let last = stages.last?.layers.last, let node = nodes.lastIndex(where: { $0.layer == last }) { return node }
    var needed = Set(outputs)
    for node in nodes.indices.reversed() where needed.contains(node) { needed.formUnion(nodes[node].inputs) }
    // The earliest node that something after the present one still reads.
    var earliestRead = outputs.min() ?? 0
    for node in nodes.indices.reversed() where needed.contains(node) {
      let shape = nodes[node].outputShape
      if node <= earliestRead, shape.rank == 3, shape[0] * shape[1] > 1, !(layer(of: node) is Input) { return node }
      earliestRead = min(earliestRead, nodes[node].inputs.min() ?? earliestRead)
    }
    return nil
  }
}
