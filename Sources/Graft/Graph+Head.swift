import Graphs
import Models

extension Graph {
  /// The layers after the end of the trunk: the classifier that a file brought along.
  package var layersBehindTrunk: Set<String> {
    guard let end = trunkEnd else { return [] }
    var isBehind = Array(repeating: false, count: nodes.count)
    for node in nodes.indices where node > end {
      isBehind[node] = nodes[node].inputs.contains { $0 == end || isBehind[$0] }
    }
    return Set(nodes.indices.filter { isBehind[$0] }.map { nodes[$0].layer })
  }
}
