import Engine
import Freezing
import Graphs
import Tasks

/// One phase at work: plans compiled for what trains in it, the features before them, and its epochs.
///
/// It takes the run's state from wherever in the phase that is to the phase's end.
@EngineActor
final class PhaseRun {
  private let context: RunContext
  private let state: RunState
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

  /// Compiles a phase's plans.
  ///
  /// - Parameter index: The place of the phase in its schedule.
  /// - Throws: `EngineError` where no plan can be made.
  init(at index: Int, context: RunContext, state: RunState) throws(EngineError) {
    let data = context.data
    self.context = context
    self.state = state
    self.index = index
    phase = context.schedule.phases[index]
    if !state.progress.phase.hasBegun { state.progress.phase.beginSeconds = state.clock.seconds }
    let batchSize = min(context.options.batchSize, data.training.count)
    plan = context.plans[index]
    // A last short batch would be normalised by the zeros that fill it up.
    samplesPerEpoch =
      plan.movingStatistics.isEmpty ? data.training.count : data.training.count / batchSize * batchSize
    stepSize = batchSize * context.options.accumulation
    stepsPerEpoch = (samplesPerEpoch + stepSize - 1) / stepSize
    pipeline = try context.features.pipeline(ofPhase: index)
    var planOptions = plan.options(phase, context.options)
    planOptions.memoryBudget = context.options.memoryBudget
    trained = try Plan(plan.frontier.suffix, parameters: state.parameters, options: planOptions)
    let inference = try Plan(
      plan.frontier.suffix, parameters: state.parameters,
      options: PlanOptions(batchSize: plan.microBatchSize, precision: context.options.precision.trained))
    evaluator = Evaluator(pipeline: pipeline, plan: inference, labels: data.labels)
    losses = TaskLosses(data.labels, training: data.training, microBatchSize: plan.microBatchSize)
  }

  /// Runs the phase to its end, and leaves the weights that its schedule wants.
  func run() throws {
    try begin()
    try cacheFeatures()
    while !isOver {
      try trainEpoch()
      try validate()
      try context.reached(.epoch)
    }
    try end()
  }

  private var isOver: Bool {
    state.progress.phase.epochCount >= phase.epochs || state.progress.phase.patience.isExhausted(by: phase.until)
  }
}

// MARK: - From the beginning to the end

extension PhaseRun {
  /// Announces the phase, and turns state and optimizer to it.
  private func begin() throws {
    let start = TrainingEvent.PhaseStart(
      phase: phase.name, index: index, phaseCount: context.schedule.phases.count,
      trainableParameters: plan.trainableCount, epochs: phase.epochs, batchSize: min(stepSize, samplesPerEpoch),
      microBatchSize: plan.microBatchSize)
    if state.progress.phase.hasBegun {
      try context.events(.phaseResumed(start, epoch: state.progress.phase.epochCount + 1))
    } else {
      try context.events(.phaseBegan(start))
      state.include(plan.trainable.union(plan.movingStatistics), isRestored: context.schedule.restore == .bestSoFar)
      state.progress.phase.losses = losses.zeros
      state.progress.phase.hasBegun = true
    }
    state.optimizer.train(trained.gradients, by: phase.optimizer, clipping: phase.clipping)
  }

  /// Runs the frozen part once for every picture, as far as that can be kept.
  private func cacheFeatures() throws {
    let isKnown = state.progress.phase.isCached != nil
    guard context.options.cachesFeatures else {
      state.progress.phase.isCached = false
      return
    }
    let forms = context.data.trainingForms
    let requests = (forms ?? []) + context.data.validation.map { PictureRequest($0) }
    let hasRoom = try pipeline.cache(
      requests, alongWith: context.features.usefulLater(beforePhase: index),
      memoryBudget: context.options.featureMemoryBudget, folder: context.cacheFolder
    ) { count throws in
      try Task.checkCancellation()
      try context.events(.featuresCached(count: count, of: requests.count))
    }
    if !hasRoom, pipeline.hasPrefix, !isKnown {
      try context.events(
        .note("phase \(phase.name): no room to keep what the frozen part puts out, so it runs at every step"))
    }
    state.progress.phase.isCached = hasRoom && forms != nil && pipeline.hasPrefix
  }

  /// Restores the weights that the schedule wants, and closes the phase's account.
  private func end() throws {
    if context.schedule.restore == .bestSoFar, state.progress.bestLoss.isFinite { state.best.restore() }
    context.features.forget(afterPhase: index)
    let progress = state.progress.phase
    let report = PhaseReport(
      name: phase.name, trainableParameters: plan.trainableCount, epochs: progress.epochCount,
      seconds: state.clock.seconds - progress.beginSeconds,
      imagesPerSecond: Double(progress.pictureCount) / progress.trainingSeconds,
      cached: progress.isCached ?? false, microBatchSize: plan.microBatchSize,
      bestValidationLoss: state.progress.bestLoss)
    try context.events(.phaseEnded(report))
    state.progress.reports.append(report)
    state.progress.phase = PhaseProgress()
  }
}

// MARK: - An epoch

extension PhaseRun {
  /// Takes the steps of the epoch that are left.
  private func trainEpoch() throws {
    let requests = context.data.trainingRequests(seed: context.options.seed, epoch: state.progress.epochCount)
    let batches = requests.prefix(samplesPerEpoch).chunked(by: stepSize)
      .dropFirst(state.progress.phase.epochStepCount)
    let feed = pipeline.feed(batches.flatMap { $0.chunked(by: plan.microBatchSize) })
    var now = ContinuousClock.now
    for batch in batches {
      try Task.checkCancellation()
      let (loss, rate) = try step(batch, from: feed)
      let before = now
      now = .now
      state.progress.phase.epochSeconds += (now - before).inSeconds
      try context.events(.step(report(loss: loss, rate: rate, pictureCount: batch.endIndex)))
      try context.reached(.step)
    }
  }

  /// Takes one step.
  ///
  /// - Returns: J of the batch, and the learning rate.
  private func step(_ batch: ArraySlice<PictureRequest>, from feed: FeatureFeed) throws -> (Double, Double) {
    losses.beginBatch(batch)
    var done = 0
    while done < batch.count {
      let list = try feed.next(into: trained.inputs)
      trained.forward(step: state.progress.passCount)
      state.progress.passCount += 1
      losses.add(list, plan: trained)
      trained.backward(accumulating: done > 0)
      done += list.count
    }
    let loss = losses.endBatch(of: &state.progress.phase.losses)
    state.progress.stepCount += 1
    guard loss.isFinite else {
      throw TrainingError(
        .diverged, subject: "phase \(phase.name), step \(state.progress.stepCount)",
        detail: "the loss is no number any more; a lower learning rate may help")
    }
    let position = state.progress.phase.epochCount * stepsPerEpoch + state.progress.phase.epochStepCount
    let rate = phase.learningRate.value(step: position, of: phase.epochs * stepsPerEpoch)
    state.optimizer.step(learningRate: rate)
    state.progress.phase.epochStepCount += 1
    return (loss, rate)
  }

  private func report(loss: Double, rate: Double, pictureCount: Int) -> TrainingEvent.StepReport {
    let progress = state.progress.phase
    let stepsLeft = (phase.epochs - progress.epochCount) * stepsPerEpoch - progress.epochStepCount
    return TrainingEvent.StepReport(
      phase: phase.name, epoch: progress.epochCount + 1, step: state.progress.stepCount, loss: loss,
      learningRate: rate, imagesPerSecond: Double(pictureCount) / progress.epochSeconds,
      secondsLeft: progress.epochSeconds / Double(progress.epochStepCount) * Double(stepsLeft))
  }

  /// Measures the network at the end of an epoch, and closes the epoch's account.
  private func validate() throws {
    let begin = ContinuousClock.now
    let measured = try evaluator.measure(context.data.validation)
    let loss = losses.value(of: measured.map(\.loss))
    let isBest = loss < state.progress.bestLoss
    if isBest {
      state.progress.bestLoss = loss
      state.best.take()
    }
    let progress = state.progress.phase
    try context.events(
      .epoch(
        TrainingEvent.EpochReport(
          phase: phase.name, epoch: progress.epochCount + 1, loss: losses.value(of: progress.losses),
          validationLoss: loss,
          validation: Dictionary(uniqueKeysWithValues: measured.map { ($0.task.name, $0.summary) }), isBest: isBest,
          seconds: progress.epochSeconds + (ContinuousClock.now - begin).inSeconds,
          imagesPerSecond: Double(samplesPerEpoch) / progress.epochSeconds)))
    state.progress.epochCount += 1
    state.progress.phase.patience.note(loss, for: phase.until)
    state.progress.phase.endEpoch(pictureCount: samplesPerEpoch, losses: losses.zeros)
  }
}

extension PhaseProgress {
  /// Turns to the next epoch.
  fileprivate mutating func endEpoch(pictureCount: Int, losses: [LossValue]) {
    epochCount += 1
    epochStepCount = 0
    self.losses = losses
    trainingSeconds += epochSeconds
    epochSeconds = 0
    self.pictureCount += pictureCount
  }
}

extension Phase.BatchNormalizationMode {
  /// The same for plans.
  var forPlans: PlanOptions.BatchNormalizationMode {
    switch self {
    case .frozenStatistics: .frozenStatistics
    case .trainingStatistics: .trainingStatistics
    }
  }
}

extension MetricAccumulator {
  fileprivate var summary: TrainingEvent.TaskSummary {
    TrainingEvent.TaskSummary(loss: loss.mean, accuracy: confusion.accuracy)
  }
}
