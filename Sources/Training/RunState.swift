import Engine
import Freezing
import Graphs
import Tensors

/// Everything that changes while a run goes on.
///
/// The loop takes it from step to step, and a checkpoint holds the whole of it: the numbers of ``RunProgress``, the arrays
/// of every ``Section``, and what the optimizer remembers. Whatever else has an array for a parameter is a further
/// section.
@EngineActor package final class RunState {
  /// Arrays of one kind, one for each of some parameters.
  package enum Section: String, Hashable, Sendable, CaseIterable {
    /// The parameters that have ever trained, as they are now; all others are still those of the backbone.
    case weights
    /// The same with the best validation loss so far.
    case best
    /// The means over the steps of the phase that is under way.
    case average
  }

  /// The parameters, as they are now.
  package let parameters: ParameterBank
  /// Changes parameters, and remembers their gradients.
  package let optimizer: Optimizer
  /// Where the run stands, in numbers.
  package var progress: RunProgress
  /// The weights with the best validation loss so far.
  var best: KeptWeights
  /// The means over the steps of the phase, where the schedule wants them.
  private(set) var average: AveragedWeights?
  /// How long the run has been worked on.
  private(set) var clock = RunClock(before: 0)
  /// The parameters that have ever trained.
  private var trained: Set<ParameterPath> = []
  /// The means of a checkpoint, before its phase goes on.
  private var keptMeans = Weights()

  /// A run that has not begun.
  init(graph: Graph, weights: Weights, record: RunRecord) throws(EngineError) {
    parameters = try ParameterBank(graph: graph, weights: weights)
    optimizer = Optimizer(graph: graph, parameters: parameters)
    best = KeptWeights(parameters)
    progress = RunProgress(record)
  }

  /// Takes note of parameters that may change from now on.
  ///
  /// - Parameter isRestored: Whether the best weights will be wanted back.
  func include(_ paths: Set<ParameterPath>, isRestored: Bool) {
    trained.formUnion(paths)
    if isRestored { best.include(paths) }
  }
}

// MARK: - From the beginning again

extension RunState {
  /// Forgets what was learnt, and goes on from the weights that the run began with.
  ///
  /// - Parameter weights: Those weights.
  func restart(from weights: Weights) {
    parameters.rewind(to: Weights(weights.tensors.filter { trained.contains($0.key) }))
    optimizer.forgetAll()
    best.replace(by: Weights())
  }
}

// MARK: - Means over steps

extension RunState {
  /// Takes means of some parameters from now on, or goes on with those of a checkpoint.
  ///
  /// - Parameter stepCount: How many steps the means have taken.
  func beginAverage(_ kind: Schedule.Average, of paths: Set<ParameterPath>, stepCount: Int) {
    let made = AveragedWeights(kind, of: paths, parameters: parameters)
    made.restore(keptMeans, stepCount: stepCount)
    average = made
    keptMeans = Weights()
  }

  /// Lets parameters that are frozen from now on stay at their means, and goes on with the others.
  func settleAverage(_ kind: Schedule.Average, of paths: Set<ParameterPath>, goingOnWith others: Set<ParameterPath>) {
    guard let average else { return }
    let means = average.weights
    parameters.load(Weights(means.tensors.filter { paths.contains($0.key) }))
    keptMeans = means
    beginAverage(kind, of: others, stepCount: average.stepCount)
  }

  /// Puts the means where the weights are, and takes none any more.
  func endAverage() {
    average?.exchange()
    average = nil
  }
}

// MARK: - In checkpoints

extension RunState {
  /// The arrays of a section, each copied when its turn comes.
  func arrays(of section: Section) -> [(path: ParameterPath, copy: () -> Tensor?)] {
    func all(_ weights: Weights) -> [(path: ParameterPath, copy: () -> Tensor?)] {
      weights.tensors.keys.sorted().map { path in (path, { weights[path] }) }
    }
    switch section {
    case .weights:
      let parameters = parameters
      return trained.sorted().map { path in (path, { parameters.snapshot(of: [path])[path] }) }
    case .best: return all(best.weights)
    case .average: return all(average?.weights ?? keptMeans)
    }
  }

  /// Goes on where a checkpoint was written.
  func resume(_ checkpoint: Checkpoint) {
    progress = checkpoint.progress
    clock = RunClock(before: progress.seconds)
    for section in Section.allCases {
      let weights = checkpoint.arrays[section] ?? Weights()
      switch section {
      case .weights:
        trained = Set(weights.tensors.keys)
        parameters.load(weights)
      case .best: best.replace(by: weights)
      case .average: keptMeans = weights
      }
    }
    optimizer.restore(checkpoint.moments)
  }
}
