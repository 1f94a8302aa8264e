import Engine
import Freezing
import Graphs
import Tasks

/// One phase at work: plans compiled for what trains in it, the features before them, and its epochs.
@EngineActor
final class PhaseRun {
  /// What outlives a phase.
  struct Context {
    let graph: Graph
    let heads: [Head]
    let parameters: ParameterBank
    let data: TrainingData
    let options: TrainingOptions
    let optimizer: Optimizer
    /// What each phase means for the network.
    let plans: [PhasePlan]
    let features: FeatureChain
    let events: (TrainingEvent) throws -> Void
    /// Where features go that memory has no room for; nil for nowhere.
    let cacheFolder: String?
    /// Where features of earlier runs are; nil for nowhere.
    let library: FeatureLibrary?
    var best: BestWeights
    /// Epochs of all phases so far, which number the shuffles.
    var epochCount = 0
    /// Optimizer steps of all phases so far.
    var stepCount = 0
    /// Forward passes of all phases so far, which number the dropout masks.
    var passCount: UInt64 = 0
  }

  private let phase: Phase
  private let plan: PhasePlan
  private let index: Int
  private let pipeline: FeaturePipeline
  private let trained: Plan
  private let evaluator: Evaluator
  private let losses: TaskLosses
  /// The samples of one optimizer step.
  private let stepSize: Int
  /// The samples of one epoch.
  private let samplesPerEpoch: Int
  private let stepsPerEpoch: Int
  private let epochCount: Int
  private let clock = ContinuousClock()
  private let begin: ContinuousClock.Instant

  /// Compiles a phase's plans.
  ///
  /// - Parameter index: The place of the phase in its schedule.
  /// - Throws: `EngineError` where no plan can be made.
  init(_ phase: Phase, at index: Int, context: Context) throws(EngineError) {
    begin = clock.now
    let data = context.data
    self.phase = phase
    self.index = index
    let batchSize = min(context.options.batchSize, data.training.count)
    plan = context.plans[index]
    // A last short batch would be normalised by the zeros that fill it up.
    samplesPerEpoch =
      plan.movingStatistics.isEmpty ? data.training.count : data.training.count / batchSize * batchSize
    stepSize = batchSize * context.options.accumulation
    stepsPerEpoch = (samplesPerEpoch + stepSize - 1) / stepSize
    epochCount = phase.epochCount(stepsPerEpoch: stepsPerEpoch)
    pipeline = try context.features.pipeline(ofPhase: index)
    var planOptions = plan.options(phase, context.options)
    planOptions.memoryBudget = context.options.memoryBudget
    trained = try Plan(plan.frontier.suffix, parameters: context.parameters, options: planOptions)
    let inference = try Plan(
      plan.frontier.suffix, parameters: context.parameters,
      options: PlanOptions(batchSize: plan.microBatchSize, precision: context.options.precision.trained))
    evaluator = Evaluator(pipeline: pipeline, plan: inference, labels: data.labels)
    losses = TaskLosses(data.labels, training: data.training, microBatchSize: plan.microBatchSize)
  }

  /// Runs the phase to its end, and leaves the weights that its schedule wants.
  func run(of phaseCount: Int, restore: Schedule.Restore, context: inout Context) throws -> PhaseReport {
    try context.events(
      .phaseBegan(
        TrainingEvent.PhaseStart(
          phase: phase.name, index: index, phaseCount: phaseCount, trainableParameters: plan.trainableCount,
          epochs: epochCount, batchSize: min(stepSize, samplesPerEpoch), microBatchSize: plan.microBatchSize)))
    context.best.include(plan.trainable)
    context.best.include(plan.movingStatistics)
    context.optimizer.train(trained.gradients, by: phase.optimizer, clipping: phase.clipping)
    let features = try cacheFeatures(context)
    var patience = Patience(phase.until)
    var epoch = 0
    var trainingTime = Duration.zero
    var seenCount = 0
    while epoch < epochCount, !patience.isExhausted {
      epoch += 1
      let start = clock.now
      let requests = context.data.trainingRequests(seed: context.options.seed, epoch: context.epochCount)
      context.epochCount += 1
      let count = try train(requests, epoch: epoch, context: &context)
      let time = clock.now - start
      trainingTime += time
      seenCount += count
      let measured = try evaluator.measure(context.data.validation)
      let loss = losses.value(of: measured)
      let isBest = context.best.offer(loss: loss)
      patience.note { $0.value(of: measured, loss: loss) }
      try context.events(
        .epoch(
          TrainingEvent.EpochReport(
            phase: phase.name, epoch: epoch, loss: losses.epochLoss, validationLoss: loss,
            validation: Dictionary(uniqueKeysWithValues: measured.map { ($0.task.name, $0.summary) }), isBest: isBest,
            seconds: (clock.now - start).inSeconds, imagesPerSecond: Double(count) / time.inSeconds)))
    }
    if restore != .last { context.best.restore() }
    context.features.forget(afterPhase: index)
    let report = PhaseReport(
      name: phase.name, trainableParameters: plan.trainableCount, epochs: epoch, seconds: (clock.now - begin).inSeconds,
      imagesPerSecond: Double(seenCount) / trainingTime.inSeconds, cached: features.isCached,
      reusedFeatures: features.reusedCount,
      microBatchSize: plan.microBatchSize, arenaBytes: trained.arenaByteCount, bestValidationLoss: context.best.loss)
    try context.events(.phaseEnded(report))
    return report
  }

  /// Runs the frozen part once for every picture, as far as that can be kept.
  private func cacheFeatures(_ context: Context) throws -> (isCached: Bool, reusedCount: Int) {
    guard context.options.cachesFeatures else { return (false, 0) }
    let forms = context.data.trainingForms
    let requests = (forms ?? []) + context.data.validation.map { PictureRequest($0) }
    let outcome = try pipeline.cache(
      requests, alongWith: context.features.usefulLater(beforePhase: index), library: context.library,
      memoryBudget: context.options.featureMemoryBudget, folder: context.cacheFolder
    ) { count throws in
      try Task.checkCancellation()
      try context.events(.featuresCached(count: count, of: requests.count))
    }
    if !outcome.hasRoom, pipeline.hasPrefix {
      try context.events(
        .note("phase \(phase.name): no room to keep what the frozen part puts out, so it runs at every step"))
    }
    return (outcome.hasRoom && forms != nil && pipeline.hasPrefix, outcome.reusedCount)
  }

  /// Trains for one epoch.
  ///
  /// - Returns: How many pictures were seen.
  private func train(_ requests: [PictureRequest], epoch: Int, context: inout Context) throws -> Int {
    let batches = requests.prefix(samplesPerEpoch).chunked(by: stepSize)
    let feed = pipeline.feed(batches.flatMap { $0.chunked(by: plan.microBatchSize) })
    let start = clock.now
    var count = 0
    losses.beginEpoch()
    for (index, batch) in batches.enumerated() {
      try Task.checkCancellation()
      losses.beginBatch(batch)
      var done = 0
      while done < batch.count {
        let list = try feed.next(into: trained.inputs)
        trained.forward(step: context.passCount)
        context.passCount += 1
        losses.add(list, plan: trained)
        trained.backward(accumulating: done > 0)
        done += list.count
      }
      let loss = losses.endBatch()
      context.stepCount += 1
      guard loss.isFinite else {
        throw TrainingError(
          .diverged, subject: "phase \(phase.name), step \(context.stepCount)",
          detail: "the loss is no number any more; a lower learning rate may help")
      }
      let step = (epoch - 1) * stepsPerEpoch + index
      let rate = phase.learningRate.value(step: step, of: epochCount * stepsPerEpoch)
      context.optimizer.step(learningRate: rate)
      count += batch.count
      let seconds = (clock.now - start).inSeconds
      let stepsLeft = epochCount * stepsPerEpoch - step - 1
      try context.events(
        .step(
          TrainingEvent.StepReport(
            phase: phase.name, epoch: epoch, step: context.stepCount, loss: loss, learningRate: rate,
            imagesPerSecond: Double(count) / seconds,
            secondsLeft: seconds / Double(index + 1) * Double(stepsLeft))))
    }
    return count
  }
}

extension Phase.BatchNormalizationMode {
  /// The same for plans.
  var forPlans: PlanOptions.BatchNormalizationMode {
    switch self {
    case .frozenStatistics, .affineOnly: .frozenStatistics
    case .trainingStatistics: .trainingStatistics
    }
  }
}

extension MetricAccumulator {
  fileprivate var summary: TrainingEvent.TaskSummary {
    TrainingEvent.TaskSummary(loss: loss.mean, accuracy: confusion.accuracy)
  }
}

extension Duration {
  /// The duration in seconds; never zero, so that it can be divided by.
  var inSeconds: Double { max(Double(components.seconds) + Double(components.attoseconds) * 1e-18, 1e-9) }
}
