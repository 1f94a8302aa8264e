import Graphs
import Tensors

/// Describes a graph in Keras's words, with the networks that were flattened into it nested again.
struct ModelNester {
  private let graph: Graph
  private let modules: [Module]
  private let shapes: [[Int?]]

  /// The description of a graph.
  static func description(of graph: Graph) -> ModelDescription {
    let nester = ModelNester(graph.withoutDeadEnds)
    let graph = nester.graph
    let level = Level(
      name: graph.name.isEmpty ? "model" : graph.name, kind: .functional, path: "",
      inputs: graph.inputs.map { (graph.nodes[$0].layer, $0) }, nodes: Array(graph.nodes.indices),
      outputs: graph.outputs)
    return nester.describe(level, Array(nester.modules.indices))
  }

  private init(_ graph: Graph) {
    self.graph = graph
    modules = graph.soundModules
    shapes = graph.openShapes
  }

  /// One network and the part of the graph that it covers.
  private struct Level {
    var name: String
    var kind: ModelDescription.Kind
    var path: String
    var inputs: [(name: String, node: Graph.Node.ID)]
    var nodes: [Graph.Node.ID]
    var outputs: [Graph.Node.ID]
  }

  /// The description of a level; `inside` are the positions of the modules that lie in it, at any depth.
  private func describe(_ level: Level, _ inside: [Int]) -> ModelDescription {
    var model = ModelDescription(name: level.name, kind: level.kind, layers: [], inputs: [], outputs: [])
    var names = UniqueNames()
    var places: [Graph.Node.ID: TensorReference] = [:]
    for input in level.inputs {
      let reference = TensorReference(layer: model.layers.count, call: 0, output: 0)
      model.layers.append(
        LayerDescription(
          name: names.name(for: input.name), path: level.path.isEmpty ? input.name : "\(level.path)/\(input.name)",
          content: .input(dimensions: shapes[input.node]), calls: [[]]))
      model.inputs.append(reference)
      model.shapes[reference] = shapes[input.node]
      if places[input.node] == nil { places[input.node] = reference }
    }

    let (owners, descendants) = ownership(of: inside)
    var positions: [String: Int] = [:]
    var applied: Set<Int> = []
    var open: [(place: TensorReference, inputs: [Graph.Node.ID])] = []
    for node in level.nodes where places[node] == nil {
      let owner = owners[node]
      if let owner, !applied.insert(owner).inserted { continue }
      let path = owner.map { modules[$0].path } ?? graph.nodes[node].layer
      let position = positions[path] ?? model.layers.count
      if position == model.layers.count {
        positions[path] = position
        let name = names.name(for: level.path.isEmpty ? path : String(path.dropFirst(level.path.count + 1)))
        let content =
          if let owner {
            network(modules[owner], named: name, descendants[owner] ?? [])
          } else {
            single(node)
          }
        model.layers.append(LayerDescription(name: name, path: path, content: content, calls: []))
      }
      let call = TensorReference(layer: position, call: model.layers[position].calls.count, output: 0)
      model.layers[position].calls.append([])
      open.append((call, owner.map { modules[$0].inputs } ?? graph.nodes[node].inputs))
      let results = owner.map { modules[$0].outputs } ?? [node]
      for (output, result) in results.enumerated() where places[result] == nil {
        let reference = TensorReference(layer: position, call: call.call, output: output)
        places[result] = reference
        model.shapes[reference] = shapes[result]
      }
    }
    for (place, inputs) in open {
      model.layers[place.layer].calls[place.call] = inputs.compactMap { places[$0] }
    }
    model.outputs = level.outputs.compactMap { places[$0] }
    if model.kind == .sequential && !model.isChain { model.kind = .functional }
    return model
  }

  /// For each node the outermost module around it, and for each of these the modules inside.
  private func ownership(of inside: [Int]) -> (owners: [Graph.Node.ID: Int], descendants: [Int: [Int]]) {
    var owners: [Graph.Node.ID: Int] = [:]
    var descendants: [Int: [Int]] = [:]
    for index in inside {
      if let owner = owners[modules[index].nodes[0]] {
        descendants[owner, default: []].append(index)
      } else {
        for node in modules[index].nodes { owners[node] = index }
      }
    }
    return (owners, descendants)
  }

  private func single(_ node: Graph.Node.ID) -> LayerDescription.Content {
    guard let layer = graph.layer(of: node) as? any KerasLayer else { return .input(dimensions: shapes[node]) }
    return .layer(layer)
  }

  private func network(_ module: Module, named name: String, _ inside: [Int]) -> LayerDescription.Content {
    .model(
      describe(
        Level(
          name: name, kind: ModelDescription.Kind(rawValue: module.kind) ?? .functional, path: module.path,
          inputs: Array(zip(module.inputNames, module.inputs)), nodes: module.nodes, outputs: module.outputs),
        inside))
  }
}

extension ModelDescription {
  /// Whether every layer takes the result of the one before it and of nothing else.
  fileprivate var isChain: Bool {
    guard inputs.count == 1, layers.count > 1,
      outputs == [TensorReference(layer: layers.count - 1, call: 0, output: 0)],
      // A Sequential of Keras takes layers and no operations.
      !layers.contains(where: \.isOperation)
    else { return false }
    return layers.indices.dropFirst().allSatisfy {
      layers[$0].calls == [[TensorReference(layer: $0 - 1, call: 0, output: 0)]]
    }
  }
}

extension LayerDescription {
  /// Whether Keras has this as an operation.
  fileprivate var isOperation: Bool {
    guard case .layer(let value) = content, let record = try? value.record() else { return false }
    return record.isOperation
  }
}

/// Names for the layers of one network: Keras 3 allows no slash in them.
private struct UniqueNames {
  private var taken: Set<String> = []

  mutating func name(for wish: String) -> String {
    let base = wish.contains("/") ? wish.split(separator: "/").joined(separator: "_") : wish
    var name = base
    var number = 1
    while !taken.insert(name).inserted {
      name = "\(base)_\(number)"
      number += 1
    }
    return name
  }
}

extension Graph {
  /// The graph without layers that no output needs, which Keras would drop and then miss.
  fileprivate var withoutDeadEnds: Graph {
    var needed = Set(outputs)
    for node in nodes.indices.reversed() where needed.contains(node) { needed.formUnion(nodes[node].inputs) }
    let isWhole = nodes.indices.allSatisfy { needed.contains($0) || inputs.contains($0) }
    return isWhole ? self : cut(at: outputs)
  }

  /// The modules that still are what they say, the outer before the inner ones.
  fileprivate var soundModules: [Module] {
    var users: [Node.ID: [Node.ID]] = [:]
    for (index, node) in nodes.enumerated() {
      for input in node.inputs { users[input, default: []].append(index) }
    }
    var nodeCounts: [String: Int] = [:]
    for node in nodes { nodeCounts[node.layer, default: 0] += 1 }
    let results = Set(outputs)
    let sound = modules.filter { module in
      let inside = Set(module.nodes)
      let outputs = Set(module.outputs)
      let inputs = Set(module.inputs)
      return !module.nodes.isEmpty && module.inputNames.count == module.inputs.count
        && module.nodes.allSatisfy { node in
          nodes.indices.contains(node) && nodes[node].layer.hasPrefix("\(module.path)/")
            && nodes[node].inputs.allSatisfy { inside.contains($0) || inputs.contains($0) }
            && (outputs.contains(node)
              || !results.contains(node) && (users[node] ?? []).allSatisfy { inside.contains($0) })
        }
    }
    // All applications of one network must apply the same layers, and nobody else may.
    var groups: [String: [Module]] = [:]
    for module in sound { groups[module.path, default: []].append(module) }
    let whole = groups.filter { _, modules in
      let layers = modules.map { $0.nodes.map { nodes[$0].layer } }
      guard layers.allSatisfy({ $0 == layers[0] }) else { return false }
      var counts: [String: Int] = [:]
      for layer in layers.joined() { counts[layer, default: 0] += 1 }
      return counts.allSatisfy { nodeCounts[$0.key] == $0.value }
    }
    return sound.filter { whole[$0.path] != nil }.sorted { $0.nodes.count > $1.nodes.count }
  }

  /// The shape of every node, nil for the extents that follow an open extent of an input.
  fileprivate var openShapes: [[Int?]] {
    let own = nodes.map(\.outputShape)
    var other: [Shape] = []
    for index in nodes.indices {
      if let input = layer(of: index) as? Input {
        // Far enough from the first size that no layer brings both to the same extent.
        other.append(Shape(input.shape.dimensions.enumerated().map { input.freeAxes.contains($0) ? $1 * 2 + 512 : $1 }))
        continue
      }
      guard let shape = try? layer(of: index).outputShape(for: nodes[index].inputs.map({ other[$0] })),
        shape.rank == own[index].rank
      else { return own.map { $0.dimensions.map { $0 } } }
      other.append(shape)
    }
    return zip(own, other).map { own, other in
      zip(own.dimensions, other.dimensions).map { $0 == $1 ? $0 : nil }
    }
  }
}
