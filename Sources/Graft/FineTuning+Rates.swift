import Datasets
import Engine
import Freezing
import Models
import Tasks
import Training

extension FineTuning {
  /// Trains with rates that rise from step to step, to find one to train with; nothing is written and nothing changes.
  ///
  /// The learning rate range test of Smith, 2017. The head is a fresh one.
  ///
  /// - Parameters:
  ///   - index: The place in the schedule of the phase whose parameters and rule are tried.
  ///   - range: Which rates.
  ///   - handler: Told of notes; training waits for it.
  ///   - progress: Told of every step.
  /// - Throws: The error of whatever failed, whose description is one sentence.
  public func findRate(
    ofPhase index: Int = 0, over range: RateRange = RateRange(),
    handler: @escaping @Sendable (TrainingEvent) -> Void = { _ in },
    progress: @escaping @Sendable (RateSearch.Step) -> Void = { _ in }
  ) async throws -> RateSearch {
    precondition(schedule.phases.indices.contains(index), "the schedule has no phase at \(index)")
    try range.validate()
    try options.validate()
    let policy = try BadFilePolicy(parsing: maximumBadFiles)
    let tasks = learntTasks
    let model = try Model.fineTuning(
      backbone.graph, weights: backbone.weights, tasks: tasks, imageSize: imageSize, head: head, fit: fit.rawValue,
      seed: options.seed)
    let data = try trainingData(tasks: tasks, policy: policy, handler: handler)
    // As it is once a rate is given, which is what is looked for.
    let given = try schedule.adjusted(learningRate: schedule.phases[0].learningRate.peak)
    let (phase, options) = (given.phases[index], options)
    let library = featureFolder.map { FeatureLibrary(folder: $0) }
    return try await EngineActor.run { () throws in
      try RateFinder(
        graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: data, phase: phase,
        options: options
      ).run(over: range, library: library) { step throws in progress(step) }
    }
  }
}
