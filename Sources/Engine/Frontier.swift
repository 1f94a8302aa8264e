import Graphs
import Tensors

/// A network cut where training begins: the part that no parameter that trains can change, and the rest.
///
/// The first part gives the same numbers for the same sample as long as the frozen set stays, so they can be computed
/// once and kept.
public struct Frontier: Sendable {
  /// What has no trainable ancestor, or nil where there is nothing to compute before what trains.
  ///
  /// Its outputs are, in order, the inputs of `suffix`. What only makes its last arrays larger, at little cost, is left to
  /// `suffix`, so that the smaller ones cross.
  public let prefix: Graph?
  /// What trains, what comes after it, and what makes arrays larger right before it.
  public let suffix: Graph
  /// The nodes of the whole whose values cross, in the order of `suffix`'s inputs.
  package let crossing: [Graph.Node.ID]
  /// The nodes of the whole that `prefix` computes.
  package let frozenNodes: Set<Graph.Node.ID>

  /// Cuts a graph.
  ///
  /// - Parameters:
  ///   - trainable: the parameters that train.
  ///   - trainingLayers: the layers that behave as in training. A dropout or noise among them, or a batch normalisation where
  ///     `usesBatchStatistics`, gives other numbers each time and is never part of the prefix.
  public init(
    _ graph: Graph, trainable: Set<ParameterPath>, trainingLayers: Set<String> = [], usesBatchStatistics: Bool = false
  ) {
    var isFrozen = Array(repeating: true, count: graph.nodes.count)
    for node in graph.nodes.indices {
      let name = graph.nodes[node].layer
      let trains = graph.parameters(of: name).contains { trainable.contains(ParameterPath(name, $0.name)) }
      let layer = graph.layer(of: node)
      let varies =
        trainingLayers.contains(name)
        && (layer.isRandomInTraining || layer is BatchNormalization && usesBatchStatistics)
      isFrozen[node] = !trains && !varies && graph.nodes[node].inputs.allSatisfy { isFrozen[$0] }
    }
    let readers = graph.readers
    for node in graph.nodes.indices.reversed() where isFrozen[node] {
      for inflating in graph.inflation(at: node, isFrozen, readers) { isFrozen[inflating] = false }
    }
    var crossing: [Graph.Node.ID] = []
    for node in graph.nodes.indices where !isFrozen[node] {
      for input in graph.nodes[node].inputs where isFrozen[input] && !crossing.contains(input) {
        crossing.append(input)
      }
    }
    for output in graph.outputs where isFrozen[output] && !crossing.contains(output) { crossing.append(output) }
    crossing.sort()
    frozenNodes = Set(graph.nodes.indices.filter { isFrozen[$0] })
    guard crossing.contains(where: { !(graph.layer(of: $0) is Input) }) else {
      prefix = nil
      suffix = graph
      self.crossing = graph.inputs
      return
    }
    prefix = graph.cut(at: crossing)
    suffix = graph.continuation(from: crossing)
    self.crossing = crossing
  }
}

extension Graph {
  /// The nodes that read each node.
  fileprivate var readers: [[Node.ID]] {
    var readers = Array(repeating: [Node.ID](), count: nodes.count)
    for node in nodes.indices { for input in nodes[node].inputs { readers[input].append(node) } }
    return readers
  }

  /// The nodes up to this one that do little but make an array larger or rescale it: behind the frontier it takes less time
  /// to compute them again than to keep and move what they make.
  ///
  /// Those are zeros around an image and rescaling, which a convolution takes along, and convolutions of one by one that
  /// make channels several times as many, with the normalisation and the function behind them.
  fileprivate func inflation(at last: Node.ID, _ isFrozen: [Bool], _ readers: [[Node.ID]]) -> [Node.ID] {
    var found: [Node.ID] = []
    var node = last
    while true {
      let isReadOnce = found.isEmpty ? readers[node].allSatisfy { !isFrozen[$0] } : readers[node] == found.suffix(1)
      guard isFrozen[node], isReadOnce, !outputs.contains(node), nodes[node].inputs.count == 1 else { return [] }
      found.append(node)
      let input = nodes[node].inputs[0]
      switch layer(of: node) {
      case is ZeroPadding2D, is Rescaling: return found.count == 1 ? found : []
      case is Activation, is BatchNormalization: node = input
      case let layer as Conv2D:
        let isCheap = layer.kernelSize == Size2D(1) && layer.strides == Size2D(1) && layer.groups == 1
        let (before, after) = (nodes[input].outputShape.elementCount, nodes[node].outputShape.elementCount)
        return isCheap && after >= 4 * before ? found : []
      default: return []
      }
    }
  }
}
