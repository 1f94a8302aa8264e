import Datasets
import Engine
import Models
import Tasks
import Training

extension FineTuning {
  /// Says what the run is going to take, without running it: compiles every phase and takes a few steps of each.
  ///
  /// Nothing is written and nothing changes.
  ///
  /// - Parameter handler: Told of notes; the rehearsal waits for it.
  /// - Throws: The error of whatever would fail before the first step, whose description is one sentence.
  public func rehearse(handler: @escaping @Sendable (TrainingEvent) -> Void = { _ in }) async throws -> Forecast {
    let policy = try BadFilePolicy(parsing: maximumBadFiles)
    _ = try Split(dataset, fractions: split, seed: options.seed)
    let tasks = learntTasks
    try schedule.check(tasks: tasks.map(\.name))
    let model = try Model.fineTuning(
      backbone.graph, weights: backbone.weights, tasks: tasks, imageSize: imageSize, head: head, fit: fit.rawValue,
      seed: options.seed)
    for note in dataset.notes { handler(.note(note)) }
    let data = try trainingData(tasks: tasks, policy: policy, handler: handler)
    let (schedule, options) = (schedule, options)
    return try await EngineActor.run { () throws in
      try Rehearsal(
        graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: data, schedule: schedule,
        options: options
      ).run()
    }
  }
}
