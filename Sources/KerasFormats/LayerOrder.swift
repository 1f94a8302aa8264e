/// The order in which Keras itself lists the layers of a network, and with them their weights.
///
/// It is not the order of creation: layers are sorted by their distance from the outputs, the farthest first, and those
/// of equal distance in the order in which a walk from the outputs back to the inputs meets them.
enum LayerOrder {
  /// The positions of the layers in Keras's order; layers that no output needs come last.
  static func positions(of model: ModelDescription) -> [Int] {
    let walk = Walk(model)
    var nodeDepths: [Call: Int] = [:]
    var layerDepths = [Int](repeating: -1, count: model.layers.count)
    for call in walk.finished.reversed() {
      let depth = max(nodeDepths[call] ?? 0, layerDepths[call.layer])
      layerDepths[call.layer] = depth
      nodeDepths[call] = depth
      for input in model.layers[call.layer].calls[call.call] {
        let parent = Call(input)
        nodeDepths[parent] = max(depth + 1, nodeDepths[parent] ?? 0)
      }
    }
    return model.layers.indices.sorted { left, right in
      if layerDepths[left] != layerDepths[right] { return layerDepths[left] > layerDepths[right] }
      let ranks = (walk.ranks[left] ?? .max, walk.ranks[right] ?? .max)
      return ranks.0 != ranks.1 ? ranks.0 < ranks.1 : left < right
    }
  }

  /// A walk from the outputs back to the inputs, depth first.
  private struct Walk {
    /// When each layer was first met.
    var ranks: [Int: Int] = [:]
    /// The applications, each after those it depends on.
    var finished: [Call] = []

    init(_ model: ModelDescription) {
      var isDone: Set<Call> = []
      var isOpen: Set<Call> = []
      // Networks may be deeper than the stack, so what a recursion would remember lies in a list.
      for output in model.outputs {
        var path: [(call: Call, nextInput: Int)] = []
        func enter(_ call: Call, _ path: inout [(call: Call, nextInput: Int)]) {
          if isDone.contains(call) || !isOpen.insert(call).inserted { return }
          if ranks[call.layer] == nil { ranks[call.layer] = ranks.count }
          path.append((call, 0))
        }
        enter(Call(output), &path)
        while let (call, nextInput) = path.last {
          let inputs = model.layers[call.layer].calls[call.call]
          if nextInput < inputs.count {
            path[path.count - 1].nextInput += 1
            enter(Call(inputs[nextInput]), &path)
          } else {
            path.removeLast()
            isDone.insert(call)
            finished.append(call)
          }
        }
      }
    }
  }
}
