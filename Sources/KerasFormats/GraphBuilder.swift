import Graphs
import Tensors

/// Flattens a network as Keras describes it into a graph.
struct GraphBuilder {
  /// Height and width for images whose size the file leaves open.
  let openSize: Size2D
  private(set) var graph: Graph
  /// Where each layer of the graph stands in the description: the positions down the nested networks.
  private var owners: [String: [Int]] = [:]
  /// How many layers and networks have been applied so far.
  private var applicationCount = 0

  /// The graph of a description.
  ///
  /// - Throws: ``WeightError`` with `invalidArchitecture`, `unsupportedLayer` or `tooLarge`.
  static func graph(of model: ModelDescription, openSize: Size2D) throws(WeightError) -> Graph {
    var builder = GraphBuilder(openSize: openSize, graph: Graph(name: model.name))
    var inputs: [Graph.Node.ID] = []
    for reference in model.inputs {
      let layer = model.layers[reference.layer]
      let input = try builder.input(layer)
      do throws(GraphError) {
        inputs.append(try builder.graph.addInput(input, named: layer.path))
      } catch {
        throw WeightError(error)
      }
    }
    builder.graph.outputs = try builder.add(model, inputs: inputs, owner: [])
    return builder.graph
  }

  private init(openSize: Size2D, graph: Graph) {
    self.openSize = openSize
    self.graph = graph
  }

  /// A network may be applied often inside another that is applied often: more applications than this are refused.
  private static let maximumApplicationCount = 100_000

  private func input(_ layer: LayerDescription) throws(WeightError) -> Input {
    guard case .input(let dimensions) = layer.content, let dimensions else {
      throw WeightError(
        .invalidArchitecture, object: "layer \(layer.path)",
        detail: "does not say the shape of the samples that it takes")
    }
    var free: [Int] = []
    var extents: [Int] = []
    for (axis, extent) in dimensions.enumerated() {
      if let extent {
        extents.append(extent)
      } else if dimensions.count == 3, axis < 2 {
        free.append(axis)
        extents.append(axis == 0 ? openSize.height : openSize.width)
      } else {
        throw WeightError(
          .unsupportedLayer, object: "layer \(layer.path)",
          detail: "leaves axis \(axis + 1) open; only height and width of images may be open")
      }
    }
    return Input(shape: Shape(extents), freeAxes: free)
  }

  /// Applies a network to nodes and returns the nodes of its results.
  private mutating func add(
    _ model: ModelDescription, inputs: [Graph.Node.ID], owner: [Int]
  ) throws(WeightError) -> [Graph.Node.ID] {
    var values: [Call: [Graph.Node.ID]] = [:]
    for (reference, node) in zip(model.inputs, inputs) { values[Call(reference)] = [node] }
    var queue = CallQueue(model)
    while let call = queue.next() {
      if values[call] != nil { continue }
      let layer = model.layers[call.layer]
      applicationCount += 1
      guard applicationCount <= Self.maximumApplicationCount else {
        throw WeightError(
          .tooLarge, object: "network \(model.name)",
          detail: "applies its layers more than \(Self.maximumApplicationCount) times")
      }
      let arguments = layer.calls[call.call].compactMap { reference in values[Call(reference)]?[reference.output] }
      values[call] = try apply(layer, to: arguments, owner: owner + [call.layer])
    }
    var outputs: [Graph.Node.ID] = []
    for reference in model.outputs {
      guard let nodes = values[Call(reference)] else {
        throw WeightError(
          .invalidArchitecture, object: "layer \(model.layers[reference.layer].path)",
          detail: "cannot be computed: its inputs depend on each other in a circle or on nothing")
      }
      outputs.append(nodes[reference.output])
    }
    return outputs
  }

  private mutating func apply(
    _ layer: LayerDescription, to arguments: [Graph.Node.ID], owner: [Int]
  ) throws(WeightError) -> [Graph.Node.ID] {
    switch layer.content {
    case .input:
      throw WeightError(
        .invalidArchitecture, object: "layer \(layer.path)", detail: "is an input that the network does not list")
    case .model(let model):
      guard arguments.count == model.inputs.count else {
        throw WeightError(
          .invalidArchitecture, object: "layer \(layer.path)",
          detail: "takes \(model.inputs.count) inputs, but is given \(arguments.count)")
      }
      let place = graph.modules.count
      let start = graph.nodes.count
      graph.modules.append(
        Module(
          path: layer.path, kind: model.kind.rawValue, inputNames: model.inputs.map { model.layers[$0.layer].name },
          inputs: arguments, nodes: [], outputs: []))
      let outputs = try add(model, inputs: arguments, owner: owner)
      graph.modules[place].nodes = Array(start..<graph.nodes.count)
      graph.modules[place].outputs = outputs
      return outputs
    case .layer(let value):
      do throws(GraphError) {
        if graph[layer: layer.path] == nil {
          owners[layer.path] = owner
          let rank = arguments.first.map { graph.nodes[$0].outputShape.rank } ?? 0
          return [try graph.apply(value.canonical(rank: rank), named: layer.path, to: arguments)]
        }
        guard owners[layer.path] == owner else {
          throw GraphError(.duplicateName, subject: layer.path, detail: "two layers have this name")
        }
        return [try graph.applyAgain(layer.path, to: arguments)]
      } catch {
        throw WeightError(error)
      }
    }
  }
}

/// One application of one layer.
struct Call: Hashable {
  /// The position of the layer in its network.
  var layer: Int
  /// Which application of it.
  var call: Int

  init(layer: Int, call: Int) {
    self.layer = layer
    self.call = call
  }

  /// The application whose output a reference means.
  init(_ reference: TensorReference) { self.init(layer: reference.layer, call: reference.call) }
}

/// Hands out the applications of a network so that each comes after those it depends on.
///
/// Among those that are ready the one whose layer stands first in the file comes first, so that a file written in
/// topological order is read in its order.
private struct CallQueue {
  private var users: [Call: [Call]] = [:]
  private var openCounts: [Call: Int] = [:]
  /// What is ready, the next one last.
  private var ready: [Call] = []

  init(_ model: ModelDescription) {
    for (layer, description) in model.layers.enumerated() {
      for (index, inputs) in description.calls.enumerated() {
        let call = Call(layer: layer, call: index)
        let needed = Set(inputs.map { Call($0) })
        for other in needed { users[other, default: []].append(call) }
        openCounts[call] = needed.count
        if needed.isEmpty { ready.append(call) }
      }
    }
    ready.sort { ($0.layer, $0.call) > ($1.layer, $1.call) }
  }

  mutating func next() -> Call? {
    guard let call = ready.popLast() else { return nil }
    for user in users[call] ?? [] {
      openCounts[user, default: 0] -= 1
      if openCounts[user] == 0 { insert(user) }
    }
    return call
  }

  private mutating func insert(_ call: Call) {
    var low = 0
    var high = ready.count
    while low < high {
      let middle = (low + high) / 2
      if (ready[middle].layer, ready[middle].call) > (call.layer, call.call) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    ready.insert(call, at: low)
  }
}
