import Graphs
import Tensors

/// In what order a layer's values have their axes.
///
/// The graph's images always have their channels last. Keras's layers can be told to have them first; then the graph holds
/// the same values with the channels moved to the end, and wherever a layer works on Keras's own order, such as one that
/// reads all values one after the other, the axes are put back before it.
struct AxisOrder {
  /// The nodes whose values have their channels last where Keras has them first.
  private(set) var turned: Set<Graph.Node.ID> = []
  /// How every layer took its values when it was first applied.
  private var orders: [String: Bool] = [:]

  /// Says that the values of a node are turned.
  mutating func turn(_ node: Graph.Node.ID) { turned.insert(node) }

  /// Whether a layer takes its arguments with the channels moved to the end.
  ///
  /// - Parameter ranks: The number of axes of each argument's samples.
  func takesTurned(
    _ layer: LayerDescription, _ value: any KerasLayer, _ arguments: [Graph.Node.ID], ranks: [Int]
  ) -> Bool {
    if let known = orders[layer.path] { return known }
    if let isFirst = layer.isChannelsFirst { return isFirst }
    guard !arguments.isEmpty, arguments.allSatisfy({ turned.contains($0) }), Set(ranks).count == 1 else { return false }
    return value.turned(rank: ranks[0]) != nil
  }

  /// Remembers how a layer took its values.
  mutating func remember(_ layer: LayerDescription, takesTurned: Bool) { orders[layer.path] = takesTurned }
}

extension Int {
  /// This axis of a sample after the first one was moved behind all others.
  func turned(rank: Int) -> Int {
    let axis = self < 0 ? self + rank : self
    return axis == 0 ? rank - 1 : axis - 1
  }
}

extension ModelDescription {
  /// Whether the first layer that says where its channels are wants those of an input first.
  func wantsChannelsFirst(_ input: TensorReference) -> Bool {
    var users: [TensorReference: [(call: Call, place: Int)]] = [:]
    for (position, layer) in layers.enumerated() {
      for (call, arguments) in layer.calls.enumerated() {
        for (place, argument) in arguments.enumerated() {
          users[argument, default: []].append((Call(layer: position, call: call), place))
        }
      }
    }
    var queue = [input]
    var seen: Set<TensorReference> = [input]
    var next = 0
    while next < queue.count {
      for (call, place) in users[queue[next]] ?? [] {
        let layer = layers[call.layer]
        if let isFirst = layer.isChannelsFirst { return isFirst }
        if case .model(let inner) = layer.content, inner.inputs.indices.contains(place) {
          return inner.wantsChannelsFirst(inner.inputs[place])
        }
        let output = TensorReference(layer: call.layer, call: call.call, output: 0)
        if seen.insert(output).inserted { queue.append(output) }
      }
      next += 1
    }
    return false
  }
}
