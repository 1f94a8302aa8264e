import Graphs
import Tensors

/// Flattens a network as Keras describes it into a graph.
struct GraphBuilder {
  /// Height and width for images whose size the file leaves open.
  let openSize: Size2D
  /// Whether convolutions pad as they did on Theano.
  let padsLikeTheano: Bool
  private(set) var graph: Graph
  /// Where each layer of the graph stands in the description: the positions down the nested networks.
  private var owners: [String: [Int]] = [:]
  /// Which values have their axes in another order than in Keras.
  private var axes = AxisOrder()
  /// How many layers and networks have been applied so far.
  private var applicationCount = 0

  /// The graph of a description.
  ///
  /// - Parameters:
  ///   - openSize: Height and width for images whose size the file leaves open.
  ///   - padsLikeTheano: Whether the network was trained on Theano, which treats borders in another way.
  /// - Throws: ``WeightError`` with `invalidArchitecture`, `unsupportedLayer` or `tooLarge`.
  static func graph(
    of model: ModelDescription, openSize: Size2D, padsLikeTheano: Bool = false
  ) throws(WeightError) -> Graph {
    var builder = GraphBuilder(openSize: openSize, padsLikeTheano: padsLikeTheano, graph: Graph(name: model.name))
    var inputs: [Graph.Node.ID] = []
    for reference in model.inputs {
      let layer = model.layers[reference.layer]
      let isTurned = layer.isImage && model.wantsChannelsFirst(reference)
      let input = try builder.input(layer, isTurned: isTurned)
      do throws(GraphError) {
        let node = try builder.graph.addInput(input, named: layer.path)
        if isTurned { builder.axes.turn(node) }
        inputs.append(node)
      } catch {
        throw WeightError(error)
      }
    }
    builder.graph.outputs = try builder.add(model, inputs: inputs, owner: [])
    return builder.graph
  }

  private init(openSize: Size2D, padsLikeTheano: Bool, graph: Graph) {
    self.openSize = openSize
    self.padsLikeTheano = padsLikeTheano
    self.graph = graph
  }

  /// A network may be applied often inside another that is applied often: more applications than this are refused.
  private static let maximumApplicationCount = 100_000

  private func input(_ layer: LayerDescription, isTurned: Bool) throws(WeightError) -> Input {
    guard case .input(let described) = layer.content, let described else {
      throw WeightError(
        .invalidArchitecture, object: "layer \(layer.path)",
        detail: "does not say the shape of the samples that it takes")
    }
    let dimensions = isTurned ? Array(described[1...]) + [described[0]] : described
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
      let ranks = arguments.map { graph.nodes[$0].outputShape.rank }
      let takesTurned = axes.takesTurned(layer, value, arguments, ranks: ranks)
      let split = padsLikeTheano ? try TheanoPadding.split(value, of: layer) : nil
      let (value, cropping) = try declared(split?.value ?? value, of: layer, arguments)
      do throws(GraphError) {
        var oriented: [Graph.Node.ID] = []
        for argument in arguments { oriented.append(try self.oriented(argument, isTurned: takesTurned, for: layer)) }
        if let padding = split?.padding {
          let name = unusedName("\(layer.path)_padding")
          oriented = [try graph.apply(padding, named: name, to: oriented)]
        }
        var node: Graph.Node.ID
        if graph[layer: layer.path] == nil {
          owners[layer.path] = owner
          axes.remember(layer, takesTurned: takesTurned)
          let rank = ranks.first ?? 0
          let own = takesTurned ? value.turned(rank: rank) ?? value : value
          node = try graph.apply(own.canonical(rank: rank), named: layer.path, to: oriented)
        } else {
          guard owners[layer.path] == owner else {
            throw GraphError(.duplicateName, subject: layer.path, detail: "two layers have this name")
          }
          node = try graph.applyAgain(layer.path, to: oriented)
        }
        if let cropping {
          node = try graph.apply(cropping, named: unusedName("\(layer.path)_cropping"), to: [node])
        }
        if takesTurned && graph.nodes[node].outputShape.rank > 1 { axes.turn(node) }
        return [node]
      } catch {
        throw WeightError(error)
      }
    }
  }

  /// A layer that puts out the size that it declares, and what is cut off behind it.
  private func declared(
    _ value: any KerasLayer, of layer: LayerDescription, _ arguments: [Graph.Node.ID]
  ) throws(WeightError) -> (value: any KerasLayer, cropping: Cropping2D?) {
    guard let size = layer.declaredSize, let transposed = value as? Conv2DTranspose, let argument = arguments.first,
      graph.nodes[argument].outputShape.rank == 3
    else { return (value, nil) }
    let shape = graph.nodes[argument].outputShape
    // The axes come in the graph's order, with the channels last, or in Keras's.
    let isLast = axes.turned.contains(argument) || layer.isChannelsFirst != true
    let input = isLast ? Size2D(shape[0], shape[1]) : Size2D(shape[1], shape[2])
    let fit = try DeclaredSize.fit(transposed, to: size, input: input, isTheano: padsLikeTheano, of: layer)
    return (fit.value, fit.cropping)
  }

  /// The value of a node with its channels last, or in Keras's own order of axes.
  private mutating func oriented(
    _ node: Graph.Node.ID, isTurned: Bool, for layer: LayerDescription
  ) throws(GraphError) -> Graph.Node.ID {
    let rank = graph.nodes[node].outputShape.rank
    guard rank > 1, axes.turned.contains(node) != isTurned else { return node }
    let dimensions = isTurned ? Array(2...rank) + [1] : [rank] + Array(1..<rank)
    return try graph.apply(Permute(dimensions: dimensions), named: unusedName("\(layer.path)_axes"), to: [node])
  }

  /// The name, with a number behind it if it is taken.
  private func unusedName(_ wish: String) -> String {
    var name = wish
    var number = 1
    while graph[layer: name] != nil {
      number += 1
      name = "\(wish)_\(number)"
    }
    return name
  }
}

extension LayerDescription {
  /// Whether this is an input for samples of several axes.
  fileprivate var isImage: Bool {
    guard case .input(let dimensions) = content else { return false }
    return (dimensions?.count ?? 0) > 1
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
