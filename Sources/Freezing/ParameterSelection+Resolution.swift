import Graphs

extension ParameterSelection {
  /// The paths that the selection picks in a graph.
  ///
  /// Statistics are never among them, since they are measured and not trained. Where the graph has no stages, those
  /// places count where its resolution falls.
  ///
  /// - Parameters:
  ///   - graph: The network with its heads.
  ///   - headLayers: The names of the heads' layers; every other layer belongs to the trunk.
  /// - Throws: `ScheduleError` with code `unknownName` for a name or pattern that nothing has, with the nearest names, and
  ///   `emptySelection` where the whole or a part of it picks nothing, other than a plain `none`.
  public func resolve(in graph: Graph, headLayers: Set<String>) throws(ScheduleError) -> Set<ParameterPath> {
    let resolver = SelectionResolver(
      graph: graph, headLayers: headLayers, stages: graph.trunkStages(headLayers: headLayers))
    let paths = try resolver.paths(of: self)
    guard !paths.isEmpty || self == .none else {
      throw ScheduleError(.emptySelection, subject: "selection \(self)", detail: "leaves nothing to train")
    }
    return paths
  }
}

extension Graph {
  /// The stages without the layers of heads; those places where the resolution falls, if the graph names none.
  func trunkStages(headLayers: Set<String>) -> [Stage] {
    (stages.isEmpty ? stagesByResolution() : stages).map { stage in
      Stage(name: stage.name, layers: stage.layers.filter { !headLayers.contains($0) })
    }
  }

  /// Whether a layer has a parameter that an optimizer may change.
  func canTrain(_ layer: String) -> Bool { parameters(of: layer).contains(where: \.isTrainable) }
}

private struct SelectionResolver {
  let graph: Graph
  let headLayers: Set<String>
  let stages: [Stage]

  func paths(of selection: ParameterSelection) throws(ScheduleError) -> Set<ParameterPath> {
    switch selection {
    case .none: return []
    case .all: return try paths(of: graph.layerNames, for: selection)
    case .head: return try paths(of: graph.layerNames.filter(headLayers.contains), for: selection)
    case .trunk: return try paths(of: trunkLayers, for: selection)
    case .stages, .stageRange, .stage: return try paths(of: layersOfStages(selection), for: selection)
    case .layers, .layer, .layersMatching, .from, .kind: return try paths(of: layers(selection), for: selection)
    case .parametersMatching(let pattern):
      let all = trainable(in: graph.layerNames).map(\.path)
      let found = all.filter { pattern.matches($0.description) }
      guard !found.isEmpty else {
        throw unknown("parameter that matches", pattern, among: all.map(\.description), selection)
      }
      return Set(found)
    case .bias:
      return try paths(for: selection) { $0.role == .beta || ($0.role == .bias && $0.name.hasSuffix("bias")) }
    case .normalization:
      let layers = graph.layerNames.filter { graph[layer: $0]?.isNormalization == true }
      return try paths(of: layers, for: selection)
    case .union(let left, let right): return try paths(of: left).union(try paths(of: right))
    case .subtraction(let left, let right): return try paths(of: left).subtracting(try paths(of: right))
    case .intersection(let left, let right):
      let common = try paths(of: left).intersection(try paths(of: right))
      guard !common.isEmpty else {
        throw ScheduleError(.emptySelection, subject: "selection \(selection)", detail: "its sides share no parameter")
      }
      return common
    }
  }

  private var trunkLayers: [String] { graph.layerNames.filter { !headLayers.contains($0) } }

  // MARK: Stages

  private func layersOfStages(_ selection: ParameterSelection) throws(ScheduleError) -> [String] {
    switch selection {
    case .stages(let last):
      guard last > 0, last <= stages.count else {
        throw ScheduleError(
          .unknownName, subject: "selection \(selection)",
          detail: "the network has \(stages.count) stages: \(stages.map(\.name).joined(separator: ", "))")
      }
      return stages.suffix(last).flatMap(\.layers)
    case .stageRange(let first, let last):
      let (start, end) = (try index(ofStage: first, selection), try index(ofStage: last, selection))
      guard start <= end else {
        throw ScheduleError(
          .unknownName, subject: "selection \(selection)", detail: "\(last) comes before \(first) in the network")
      }
      return stages[start...end].flatMap(\.layers)
    case .stage(let name): return stages[try index(ofStage: name, selection)].layers
    default: preconditionFailure("\(selection) is about stages")
    }
  }

  private func index(ofStage name: String, _ selection: ParameterSelection) throws(ScheduleError) -> Int {
    guard let index = stages.firstIndex(where: { $0.name == name }) else {
      throw unknown("stage", name, among: stages.map(\.name), selection)
    }
    return index
  }

  // MARK: Layers

  private func layers(_ selection: ParameterSelection) throws(ScheduleError) -> [String] {
    switch selection {
    case .layers(let last):
      let layers = trunkLayers.filter(graph.canTrain)
      guard last > 0, last <= layers.count else {
        throw ScheduleError(
          .unknownName, subject: "selection \(selection)",
          detail: "the trunk has \(layers.count) layers with something to train")
      }
      return layers.suffix(last)
    case .layer(let name):
      guard graph[layer: name] != nil else { throw unknown("layer", name, among: graph.layerNames, selection) }
      return [name]
    case .from(let name):
      guard let start = graph.layerNames.firstIndex(of: name) else {
        throw unknown("layer", name, among: graph.layerNames, selection)
      }
      return Array(graph.layerNames[start...])
    case .layersMatching(let pattern):
      let layers = graph.layerNames.filter(pattern.matches)
      guard !layers.isEmpty else {
        throw unknown("layer that matches", pattern, among: graph.layerNames.filter(graph.canTrain), selection)
      }
      return layers
    case .kind(let name):
      let layers = graph.layerNames.filter { graph[layer: $0].map { type(of: $0).kind.isSameKind(as: name) } ?? false }
      guard !layers.isEmpty else {
        let kinds = Set(
          graph.layerNames.filter(graph.canTrain).compactMap { graph[layer: $0].map { type(of: $0).kind } })
        throw unknown("layer of the kind", name, among: kinds.map(\.snakeCased).sorted(), selection)
      }
      return layers
    default: preconditionFailure("\(selection) is about layers")
    }
  }

  private func trainable(in layers: [String]) -> [(path: ParameterPath, parameter: Parameter)] {
    layers.flatMap { layer in
      graph.parameters(of: layer).filter(\.isTrainable).map { (ParameterPath(layer, $0.name), $0) }
    }
  }

  private func paths(
    of layers: [String]? = nil, for selection: ParameterSelection, where isMeant: (Parameter) -> Bool = { _ in true }
  ) throws(ScheduleError) -> Set<ParameterPath> {
    let result = Set(trainable(in: layers ?? graph.layerNames).filter { isMeant($0.parameter) }.map(\.path))
    guard !result.isEmpty else {
      throw ScheduleError(
        .emptySelection, subject: "selection \(selection)",
        detail: "the network has no parameters there that could train")
    }
    return result
  }

  // MARK: Mistakes

  private func unknown(
    _ thing: String, _ name: String, among names: [String], _ selection: ParameterSelection
  ) -> ScheduleError {
    let near = names.nearest(to: name)
    return ScheduleError(
      .unknownName, subject: "selection \(selection)",
      detail: near.isEmpty
        ? "there is no \(thing) \(name), nor any other"
        : "there is no \(thing) \(name); the nearest are \(near.joined(separator: ", "))")
  }

  /// An error about a pattern, with the names that are nearest to its letters.
  private func unknown(
    _ thing: String, _ pattern: NamePattern, among names: [String], _ selection: ParameterSelection
  ) -> ScheduleError {
    let near = names.nearest(to: pattern.source.filter { $0.isLetter || $0.isNumber || "_/".contains($0) })
    return ScheduleError(
      .unknownName, subject: "selection \(selection)",
      detail: "there is no \(thing) \(pattern)"
        + (near.isEmpty ? ", nor any other" : "; the nearest are \(near.joined(separator: ", "))"))
  }
}

extension Layer {
  /// Whether the layer brings activations to a common scale.
  fileprivate var isNormalization: Bool {
    switch self {
    case is BatchNormalization, is LayerNormalization, is GroupNormalization, is UnitNormalization: true
    default: false
    }
  }
}

extension String {
  /// Whether both name one kind of layer; letter case and underscores do not count.
  fileprivate func isSameKind(as other: String) -> Bool {
    func letters(_ text: String) -> String { text.lowercased().filter { $0 != "_" } }
    return letters(self) == letters(other)
  }
}
