import Graphs
import Tensors

extension Graph {
  /// The node at which a classifier ends its trunk: the image that the last global pooling or flatten takes.
  ///
  /// Only poolings count behind which no image of more than one pixel follows, so that the gates of
  /// squeeze-and-excitation are passed over. nil where there is none: the network is a trunk as a whole.
  package var trunkEnd: Node.ID? {
    /// Whether an image comes out of a node or of anything that needs it.
    var leadsToImage = nodes.map { $0.outputShape.isPicture }
    for node in nodes.indices.reversed() where leadsToImage[node] {
      for input in nodes[node].inputs { leadsToImage[input] = true }
    }
    var needed = Set(outputs)
    for node in nodes.indices.reversed() where needed.contains(node) { needed.formUnion(nodes[node].inputs) }
    let ends = nodes.indices.filter { needed.contains($0) && !leadsToImage[$0] }.flatMap { node in
      nodes[node].inputs.filter { nodes[$0].outputShape.isPicture && !(layer(of: $0) is Input) }
    }
    return ends.max()
  }

  /// Whether a rescaling or normalisation is the first thing that happens to the numbers of the input.
  package var beginsWithPreprocessing: Bool {
    preparingLayers.contains { self[layer: $0] is Rescaling || self[layer: $0] is Normalization }
  }

  /// The layers with which the network prepares its pictures itself.
  ///
  /// What only moves pixels may come between them, or turns the channels of RGB round, as the families that want blue first
  /// do within a network: such a network takes RGB of 0…255 as well.
  package var preparingLayers: [String] {
    var names: [String] = []
    var pictures = Set(inputs)
    for index in nodes.indices {
      guard let picture = nodes[index].inputs.first(where: pictures.contains) else { continue }
      switch layer(of: index) {
      case is Rescaling, is Normalization: names.append(nodes[index].layer)
      case let slicing as Slicing where slicing.reversesChannels(of: nodes[picture].outputShape):
        names.append(nodes[index].layer)
      case is Identity, is Resizing, is CenterCrop: break
      default: continue
      }
      pictures.insert(index)
    }
    return names
  }

  /// The last node that applies a layer whose output is an image, where a user asks for the trunk to end.
  ///
  /// - Throws: `GraphError` with code `unknownName`, naming the nearest layers, or `unfitInput` where no image comes out.
  package func cutPoint(_ name: String) throws(GraphError) -> Node.ID {
    guard let node = nodes.lastIndex(where: { $0.layer == name }) else {
      let near = layerNames.nearest(to: name).joined(separator: ", ")
      throw GraphError(.unknownName, subject: "layer \(name)", detail: "does not exist; the nearest are \(near)")
    }
    let shape = nodes[node].outputShape
    let hint = trunkEnd.map { "; the last that does is \(nodes[$0].layer)" } ?? ""
    guard !(layer(of: node) is Input) else {
      throw GraphError(
        .unfitInput, subject: "layer \(name)",
        detail: "is the input, behind which nothing would be left: expected a layer that puts out an image\(hint)")
    }
    guard shape.rank == 3 else {
      throw GraphError(
        .unfitInput, subject: "layer \(name)",
        detail: "expected a layer that puts out an image [H, W, C], found an output of \(shape)\(hint)")
    }
    return node
  }
}

extension Shape {
  /// Whether this is an image of more than one pixel.
  fileprivate var isPicture: Bool { rank == 3 && self[0] * self[1] > 1 }
}
