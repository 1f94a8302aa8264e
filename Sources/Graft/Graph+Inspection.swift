import Backbones
import Graphs
import KerasFormats

extension Graph {
  /// The layers after the end of the last stage: the classifier that a file brought along.
  package var layersBehindTrunk: Set<String> {
    guard let last = stages.last?.layers.last, let end = nodes.lastIndex(where: { $0.layer == last }) else { return [] }
    var isBehind = Array(repeating: false, count: nodes.count)
    for node in nodes.indices where node > end {
      isBehind[node] = nodes[node].inputs.contains { $0 == end || isBehind[$0] }
    }
    return Set(nodes.indices.filter { isBehind[$0] }.map { nodes[$0].layer })
  }

  /// The same network with the stages of a family; nil where its layers come in another order.
  package func staged(like family: BackboneFamily) -> Graph? {
    var result = self
    do {
      try result.setStages(family.stageEnds)
    } catch {
      return nil
    }
    return result
  }
}

extension KerasFormat {
  /// Whether files of this kind say what the network is.
  package var holdsNetwork: Bool { self == .wholeModelH5 || self == .keras }
}
