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
  /// - Throws: `ScheduleError` with code `unknownName` for a stage or layer that does not exist, with the nearest names,
  ///   and `emptySelection` where the whole or a part of it picks nothing, other than a plain `none`.
  public func resolve(in graph: Graph, headLayers: Set<String>) throws(ScheduleError) -> Set<ParameterPath> {
    let stages = (graph.stages.isEmpty ? graph.stagesByResolution() : graph.stages).map { stage in
      Stage(name: stage.name, layers: stage.layers.filter { !headLayers.contains($0) })
    }
    let paths = try Resolver(graph: graph, headLayers: headLayers, stages: stages).paths(of: self)
    guard !paths.isEmpty || self == .none else {
      throw ScheduleError(.emptySelection, subject: "selection \(self)", detail: "leaves nothing to train")
    }
    return paths
  }
}

private struct Resolver {
  let graph: Graph
  let headLayers: Set<String>
  let stages: [Stage]

  func paths(of selection: ParameterSelection) throws(ScheduleError) -> Set<ParameterPath> {
    switch selection {
    case .none: return []
    case .all: return try paths(of: graph.layerNames, for: selection)
    case .head: return try paths(of: graph.layerNames.filter(headLayers.contains), for: selection)
    case .trunk: return try paths(of: graph.layerNames.filter { !headLayers.contains($0) }, for: selection)
    case .stages(let last):
      guard last > 0, last <= stages.count else {
        throw ScheduleError(
          .unknownName, subject: "selection \(selection)",
          detail: "the network has \(stages.count) stages: \(stages.map(\.name).joined(separator: ", "))")
      }
      return try paths(of: stages.suffix(last).flatMap(\.layers), for: selection)
    case .stage(let name):
      let chosen = stages.filter { $0.name == name }
      guard !chosen.isEmpty else { throw unknown("stage", name, among: stages.map(\.name), selection) }
      return try paths(of: chosen.flatMap(\.layers), for: selection)
    case .layer(let name):
      guard graph[layer: name] != nil else { throw unknown("layer", name, among: graph.layerNames, selection) }
      return try paths(of: [name], for: selection)
    case .union(let left, let right): return try paths(of: left).union(try paths(of: right))
    case .subtraction(let left, let right): return try paths(of: left).subtracting(try paths(of: right))
    }
  }

  private func paths(
    of layers: [String], for selection: ParameterSelection
  ) throws(ScheduleError) -> Set<ParameterPath> {
    var result: Set<ParameterPath> = []
    for layer in layers {
      for parameter in graph.parameters(of: layer) where parameter.isTrainable {
        result.insert(ParameterPath(layer, parameter.name))
      }
    }
    guard !result.isEmpty else {
      throw ScheduleError(
        .emptySelection, subject: "selection \(selection)",
        detail: "the network has no parameters there that could train")
    }
    return result
  }

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
}
