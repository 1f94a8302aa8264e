import Graphs

extension Phase {
  /// What trains as a selection: that of the phase, and the stages that were chosen for it.
  public var selection: ParameterSelection {
    .union(of: (train == .none ? [] : [train]) + (choose?.chosen ?? []).map { .stage($0) })
  }

  /// The parameters that train in a network.
  ///
  /// Where stages are still to be chosen, they are not among them.
  ///
  /// - Parameters:
  ///   - graph: The network with its heads.
  ///   - headLayers: The names of the heads' layers.
  /// - Throws: `ScheduleError` where the phase's selection does not fit the network, or where more stages are to be
  ///   chosen than it has.
  public func trainable(in graph: Graph, headLayers: Set<String>) throws(ScheduleError) -> Set<ParameterPath> {
    try checkChoice(in: graph, headLayers: headLayers)
    let selected = try parameters(of: selection, in: graph, headLayers: headLayers)
    guard batchNormalization == .affineOnly else { return selected }
    let normalizations = graph.layerNames.filter { graph[layer: $0] is BatchNormalization }
    let affine = normalizations.flatMap { layer in
      graph.parameters(of: layer).filter(\.isTrainable).map { ParameterPath(layer, $0.name) }
    }
    guard !selected.isEmpty || !affine.isEmpty else {
      throw ScheduleError(
        .emptySelection, subject: "phase \(name)", detail: "trains nothing: the network has no batch normalisation")
    }
    return selected.union(affine)
  }

  /// The parameters whose gradients are measured to choose stages: those that could train.
  ///
  /// - Throws: `ScheduleError` where the phase's selection does not fit the network.
  public func candidates(in graph: Graph, headLayers: Set<String>) throws(ScheduleError) -> Set<ParameterPath> {
    let selected = try trainable(in: graph, headLayers: headLayers)
    return selected.union(try parameters(of: .trunk, in: graph, headLayers: headLayers))
  }

  /// The parameters that train, or those that could as long as stages are still to be chosen.
  ///
  /// - Throws: `ScheduleError` where the phase's selection does not fit the network.
  public func trainableOrCandidates(
    in graph: Graph, headLayers: Set<String>
  ) throws(ScheduleError) -> Set<ParameterPath> {
    isOpen
      ? try candidates(in: graph, headLayers: headLayers) : try trainable(in: graph, headLayers: headLayers)
  }

  /// Whether stages are still to be chosen.
  package var isOpen: Bool { choose.map { $0.chosen == nil } ?? false }

  /// The same phase with its stages chosen.
  public func choosing(_ stages: [String]) -> Phase {
    var result = self
    result.choose?.chosen = stages
    return result
  }

  /// What a selection picks, or an error that names the phase.
  private func parameters(
    of selection: ParameterSelection, in graph: Graph, headLayers: Set<String>
  ) throws(ScheduleError) -> Set<ParameterPath> {
    do throws(ScheduleError) {
      return try selection.resolve(in: graph, headLayers: headLayers)
    } catch {
      throw error.inside("phase \(name)")
    }
  }

  /// Checks that the network has as many stages as are still to be chosen.
  private func checkChoice(in graph: Graph, headLayers: Set<String>) throws(ScheduleError) {
    guard let choose, choose.chosen == nil else { return }
    let stages = graph.trainableStages(headLayers: headLayers).map(\.name)
    guard choose.count <= stages.count else {
      throw ScheduleError(
        .invalidOption, subject: "phase \(name)",
        detail: "chooses \(choose.count) stages, but the network has \(stages.count) with something to train: "
          + stages.joined(separator: ", "))
    }
  }
}

extension Graph {
  /// The stages of the trunk that have something to train, from input to output.
  ///
  /// Where the graph has no stages, those places count where its resolution falls.
  public func trainableStages(headLayers: Set<String> = []) -> [Stage] {
    trunkStages(headLayers: headLayers).filter { $0.layers.contains(where: canTrain) }
  }
}
