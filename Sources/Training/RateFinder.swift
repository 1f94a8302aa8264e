import Engine
import Freezing
import Graphs
import Tasks
import Tensors

/// Trains with rates that rise from step to step, to see which are too small and which too large.
///
/// The network is left as it was: the parameters that the steps change are the finder's own.
@EngineActor
package struct RateFinder {
  private let phase: Phase
  private let plan: PhasePlan
  private let data: TrainingData
  private let options: TrainingOptions
  private let parameters: ParameterBank
  private let graph: Graph
  private let headLayers: Set<String>
  private let pipeline: FeaturePipeline

  /// A search with the parameters and the rule of a phase.
  ///
  /// - Parameter graph: The network that ends in one vector of logits a task, in the order of the tasks of `data`.
  /// - Throws: ``TrainingError`` for options that do not fit, `ScheduleError`, and `EngineError` where no plan can be made.
  package init(
    graph: Graph, weights: Weights, heads: [Head], data: TrainingData, phase: Phase, options: TrainingOptions
  ) throws {
    try options.validate()
    try phase.validate()
    EngineThreads.choose(options.threads)
    self.phase = phase
    self.data = data
    self.options = options
    self.graph = graph
    headLayers = Set(heads.flatMap(\.layers))
    parameters = try ParameterBank(graph: graph, weights: weights)
    plan = PhasePlan(
      phase, trainable: try phase.trainableOrCandidates(in: graph, headLayers: headLayers), graph: graph,
      heads: heads, batchSize: min(options.batchSize, data.training.count), microBatchSize: options.microBatchSize)
    let chain = FeatureChain(
      graph, frontiers: [plan.frontier], parameters: parameters, source: data.pictures, options: options)
    pipeline = try chain.pipeline(to: plan.frontier)
  }

  /// Takes the steps, until the last rate or until the loss grows beyond all bounds.
  ///
  /// - Parameters:
  ///   - library: Where features of earlier runs are, and those of this one go; nil for nowhere.
  ///   - progress: Called after each step.
  package func run(
    over range: RateRange, library: FeatureLibrary? = nil, progress: (RateSearch.Step) throws -> Void = { _ in }
  ) throws -> RateSearch {
    try range.validate()
    let trained = try Plan(plan.frontier.suffix, parameters: parameters, options: plan.options(phase, options))
    let losses = TaskLosses(data.labels, training: data.training, microBatchSize: plan.microBatchSize)
    let optimizer = Optimizer(graph: graph, parameters: parameters)
    let multipliers = phase.multipliers?.factors(for: plan.trainable, in: graph, headLayers: headLayers)
    optimizer.train(
      trained.gradients, by: phase.optimizer, clipping: phase.clipping, multipliers: multipliers ?? [:])
    if options.cachesFeatures, let forms = data.trainingForms {
      _ = try pipeline.cache(
        forms, library: library, memoryBudget: options.featureMemoryBudget, folder: nil, progress: { _ in })
    }
    let batches = trainingBatches(count: range.stepCount)
    let feed = pipeline.feed(batches.flatMap { $0.chunked(by: plan.microBatchSize) })
    var search = RateSearch(phase: phase.name)
    var passCount: UInt64 = 0
    var epoch = losses.zeros
    for (step, batch) in batches.enumerated() {
      try Task.checkCancellation()
      losses.beginBatch(batch)
      var done = 0
      while done < batch.count {
        let list = try feed.next(into: trained.inputs)
        trained.forward(step: passCount)
        passCount += 1
        losses.add(list, plan: trained)
        trained.backward(accumulating: done > 0, completing: done + list.count == batch.count)
        done += list.count
      }
      let rate = range.rate(step: step)
      guard search.note(learningRate: rate, loss: losses.endBatch(of: &epoch)) else { break }
      optimizer.step(learningRate: rate)
      if let last = search.steps.last { try progress(last) }
    }
    return search
  }

  /// So many whole batches, one epoch after the other.
  private func trainingBatches(count: Int) -> [ArraySlice<PictureRequest>] {
    let size = min(options.batchSize, data.training.count)
    var batches: [ArraySlice<PictureRequest>] = []
    var epoch = 0
    while batches.count < count {
      let requests = data.trainingRequests(seed: options.seed, epoch: epoch)
      batches += requests[...].chunked(by: size).filter { $0.count == size }
      epoch += 1
    }
    return Array(batches.prefix(count))
  }
}
