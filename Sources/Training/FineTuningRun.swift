import Engine
import Foundation
import Freezing
import Graphs
import Models
import Tasks

/// A run from labelled pictures to a finished model, with everything that its folder keeps.
@EngineActor
package struct FineTuningRun {
  private let configuration: RunConfiguration
  private let model: Model
  private let data: TrainingData
  private let folder: RunFolder
  private let loading: LoadingSummary?
  private let library: FeatureLibrary?
  private let readCheckpoint: @Sendable (String) throws -> Checkpoint.Contents
  private let handler: @Sendable (TrainingEvent) -> Void

  /// A run that has everything it needs.
  ///
  /// - Parameters:
  ///   - configuration: Everything that has been decided, for `run.yaml`.
  ///   - model: The backbone with fresh heads.
  ///   - folder: Where results go; nobody else works there.
  ///   - loading: What became of the weights of the backbone's file, for `result.json`.
  ///   - library: Where features of earlier runs are, and those of this one go; nil for nowhere.
  ///   - handler: Told of everything that happens, on the engine's thread, which waits for it.
  ///   - readCheckpoint: Reads a checkpoint's file whose seal has been checked; in this process if not said otherwise.
  package nonisolated init(
    _ configuration: RunConfiguration, model: Model, data: TrainingData, folder: RunFolder,
    loading: LoadingSummary? = nil, library: FeatureLibrary? = nil,
    handler: @escaping @Sendable (TrainingEvent) -> Void = { _ in },
    readCheckpoint: @escaping @Sendable (String) throws -> Checkpoint.Contents = { try .init(readingFrom: $0) }
  ) {
    self.configuration = configuration
    self.model = model
    self.data = data
    self.folder = folder
    self.loading = loading
    self.library = library
    self.readCheckpoint = readCheckpoint
    self.handler = handler
  }

  /// Trains, measures and writes.
  ///
  /// - Parameter isResumed: Whether a run of this configuration goes on that the folder holds already.
  /// - Throws: The error of whatever failed, each one sentence; `CancellationError` where the task is cancelled. What the
  ///   folder has by then is whole, and the run can go on from it.
  package func run(resuming isResumed: Bool = false) throws -> RunResult {
    let graph = try model.logitsGraph()
    var options = configuration.options
    let digests = try (configuration: configuration.digest(), data: data.digest())
    var earlier = configuration.record
    var checkpoint: Checkpoint?
    if isResumed {
      checkpoint = try folder.newestCheckpoint(graph: graph, by: readCheckpoint) { handler(.note($0)) }
      try checkpoint?.check(configuration: digests.configuration, data: digests.data, in: folder)
      // The number of threads that the system chose then belongs to what has to be the same.
      earlier = earlier ?? checkpoint?.progress.record
      if options.threads == 0, let engine = earlier?.engine { options.threads = engine.threads }
    } else {
      try folder.write(Data(try configuration.yaml().utf8), to: .configuration)
    }
    let log = try EventLog(folder[.events], keeping: checkpoint?.origin.eventByteCount ?? 0)
    let trainer = try Trainer(
      graph: graph, weights: model.weights, heads: model.heads, data: data, schedule: configuration.schedule,
      options: options, record: earlier, cacheFolder: folder.path, library: library
    ) { [handler, folder] event in
      try log.append(event)
      handler(event)
      folder.instant("event")
    }
    if let earlier { note(earlier, differingFrom: trainer.state.progress.record) }
    if let checkpoint { try trainer.resume(checkpoint) }
    let phases = try train(trainer, log: log, digests: digests)
    return try finish(trainer, phases: phases)
  }

  /// Runs the phases, and keeps the state as often as it is worth while.
  private func train(
    _ trainer: Trainer, log: EventLog, digests: (configuration: String, data: String)
  ) throws -> [PhaseReport] {
    let state = trainer.state
    var pace = CheckpointPace(
      configuration.options.checkpointEvery, seconds: state.clock.seconds, step: state.progress.stepCount)
    var kept: RunProgress?
    var recorded = try write(state.progress.record, over: nil)
    return try trainer.run { moment in
      folder.instant("\(moment)")
      // Before a checkpoint that relies on it.
      recorded = try write(state.progress.record, over: recorded)
      let begin = state.clock.seconds
      guard pace.isDue(at: moment, seconds: begin, step: state.progress.stepCount) else { return }
      // What is kept already is not kept twice, or the checkpoint before it would be lost.
      if let kept, state.progress.isSame(as: kept) { return }
      state.progress.seconds = begin
      let origin = Checkpoint.Origin(
        configuration: digests.configuration, data: digests.data, eventByteCount: try log.synchronize())
      try Checkpoint.write(state, origin: origin, to: folder)
      kept = state.progress
      pace.wrote(from: begin, to: state.clock.seconds, step: state.progress.stepCount)
    }
  }

  /// Writes `run.yaml` with what the run has decided, where that is not what it holds.
  private func write(_ record: RunRecord, over last: RunRecord?) throws -> RunRecord {
    guard record != last else { return record }
    var configuration = configuration
    configuration.record = record
    try folder.write(Data(try configuration.yaml().utf8), to: .configuration)
    return record
  }

  /// Measures the finished network, and writes it with its result.
  private func finish(_ trainer: Trainer, phases: [PhaseReport]) throws -> RunResult {
    var finished = model
    finished.weights = trainer.parameters.snapshot()
    let evaluator = try trainer.evaluator()
    let validation = try trainer.state.progress.validation ?? metrics(evaluator.measure(data.validation))
    let test = data.test.isEmpty ? [] : try evaluator.measure(data.test)
    folder.instant("measured")
    finished = try finished.withParity(seed: configuration.options.seed)
    try finished.write(to: folder[.model])
    folder.instant("model written")
    let result = RunResult(
      model: folder[.model], seconds: trainer.state.clock.seconds, phases: phases,
      validation: validation, test: metrics(test), peakResidentBytes: peakResidentBytes(),
      seed: configuration.options.seed, loading: loading)
    try folder.write(try result.json(), to: .result)
    return result
  }

  private func metrics(_ measured: [MetricAccumulator]) -> [String: ClassificationMetrics] {
    Dictionary(uniqueKeysWithValues: measured.map { ($0.task.name, $0.metrics) })
  }

  /// Says why what comes now may differ in its last bits from what an earlier process would have made.
  private func note(_ earlier: RunRecord, differingFrom now: RunRecord) {
    if earlier.engine != now.engine {
      handler(
        .note(
          "\(folder.path): began with \(earlier.engine), goes on with \(now.engine): results are as good, but not the "
            + "same to the bit"))
    }
    if earlier.version != now.version {
      handler(
        .note(
          "\(folder.path): began with graft \(earlier.version), goes on with \(now.version): results may not be the "
            + "same to the bit"))
    }
  }
}
