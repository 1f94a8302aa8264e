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
  private let handler: @Sendable (TrainingEvent) -> Void

  /// A run that has everything it needs.
  ///
  /// - Parameters:
  ///   - configuration: Everything that has been decided, for `run.yaml`.
  ///   - model: The backbone with fresh heads.
  ///   - folder: Where results go; it is empty.
  ///   - loading: What became of the weights of the backbone's file, for `result.json`.
  ///   - library: Where features of earlier runs are, and those of this one go; nil for nowhere.
  ///   - handler: Told of everything that happens, on the engine's thread, which waits for it.
  package nonisolated init(
    _ configuration: RunConfiguration, model: Model, data: TrainingData, folder: RunFolder,
    loading: LoadingSummary? = nil, library: FeatureLibrary? = nil,
    handler: @escaping @Sendable (TrainingEvent) -> Void = { _ in }
  ) {
    self.configuration = configuration
    self.model = model
    self.data = data
    self.folder = folder
    self.loading = loading
    self.library = library
    self.handler = handler
  }

  /// Trains, measures and writes.
  ///
  /// - Throws: The error of whatever failed, each one sentence. What the folder has by then is whole.
  package func run() throws -> RunResult {
    let clock = ContinuousClock()
    let begin = clock.now
    try folder.write(Data(try configuration.yaml().utf8), to: .configuration)
    let log = try EventLog(folder[.events])
    let graph = try model.logitsGraph()
    let trainer = try Trainer(
      graph: graph, weights: model.weights, heads: model.heads, data: data, schedule: configuration.schedule,
      options: configuration.options, cacheFolder: folder.path, library: library
    ) { [handler] event in
      try log.append(event)
      handler(event)
    }
    let phases = try trainer.run { state in try Checkpoint(state).write(to: folder[.checkpoint]) }
    var finished = model
    finished.weights = trainer.parameters.snapshot()
    let evaluator = try Evaluator(
      graph: graph, parameters: trainer.parameters, pictures: data.pictures, labels: data.labels,
      batchSize: configuration.options.frozenMicroBatchSize)
    let validation = try evaluator.measure(data.validation)
    let test = data.test.isEmpty ? [] : try evaluator.measure(data.test)
    finished = try finished.withParity(seed: configuration.options.seed)
    try finished.write(to: folder[.model])
    let result = RunResult(
      model: folder[.model], seconds: (clock.now - begin).inSeconds, phases: phases,
      validation: metrics(validation), test: metrics(test), peakResidentBytes: peakResidentBytes(),
      seed: configuration.options.seed, loading: loading)
    try folder.write(try result.json(), to: .result)
    return result
  }

  private func metrics(_ measured: [MetricAccumulator]) -> [String: ClassificationMetrics] {
    Dictionary(uniqueKeysWithValues: measured.map { ($0.task.name, $0.metrics) })
  }
}
