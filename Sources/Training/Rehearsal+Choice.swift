import Freezing
import Graphs

/// Phases whose stages are chosen when they begin: nobody knows which, but what is the most that they may take.
extension Rehearsal {
  /// Measures a batch of a phase, as its stages are chosen.
  ///
  /// - Returns: What that takes, in seconds and in memory of the process.
  func measure(_ index: Int) throws -> (seconds: Double, residentBytes: Int) {
    let begin = ContinuousClock.now
    let resident = try StageMeasurement(at: index, context: context, state: state).rehearse()
    return ((ContinuousClock.now - begin).inSeconds, resident)
  }

  /// The phase with those stages chosen that take most: the first, which needs the whole way back, and large ones.
  func mostOf(_ phase: Phase) -> Phase {
    guard phase.isOpen, let choice = phase.choose, let first = stages.first else { return phase }
    let others = bySize(stages.dropFirst()).prefix(choice.count - 1).map(\.name)
    let chosen = [first.name] + others
    return phase.choosing(stages.map(\.name).filter { chosen.contains($0) })
  }

  /// How many numbers train where the largest stages are chosen; 0 where nothing is to be chosen.
  func mostTrainableCount(in phase: Phase) throws -> Int {
    guard phase.isOpen, let choice = phase.choose else { return 0 }
    let largest = bySize(stages[...]).prefix(choice.count).map(\.name)
    let trainable = try phase.choosing(largest).trainable(in: context.graph, headLayers: context.headLayers)
    return count(trainable)
  }

  /// What trains, as the schedule says it, and how many stages are going to be chosen.
  func whatTrains(in phase: Phase) -> String {
    guard phase.isOpen, let choice = phase.choose else { return "\(phase.selection)" }
    let chosen = "\(min(choice.count, stages.count)) of \(stages.count) stages"
    return phase.train == .none ? chosen : "\(phase.train) and \(chosen)"
  }

  private var stages: [Stage] { context.graph.trainableStages(headLayers: context.headLayers) }

  /// Stages from the one with the most parameters on.
  private func bySize(_ stages: ArraySlice<Stage>) -> [Stage] {
    let sizes = stages.map { stage in
      let layers = Set(stage.layers)
      return (stage: stage, count: count(context.graph.parameters.map(\.path).filter { layers.contains($0.layer) }))
    }
    return sizes.sorted { $0.count > $1.count }.map(\.stage)
  }

  private func count(_ paths: some Sequence<ParameterPath>) -> Int {
    let paths = Set(paths)
    return context.graph.parameters.reduce(0) {
      paths.contains($1.path) ? $0 + $1.parameter.shape.elementCount : $0
    }
  }
}
