import Engine
import Freezing
import Tasks

extension PhaseRun {
  /// Takes the steps of the epoch that are left, up to the one that ends the phase.
  func trainEpoch() throws {
    let requests = context.data.trainingRequests(seed: context.options.seed, epoch: state.progress.epochCount)
    let done = state.progress.phase.epochStepCount
    let batches = requests.prefix(samplesPerEpoch).chunked(by: stepSize).dropFirst(done)
      .prefix(max(0, mostSteps - stepCount))
    let mixing = context.options.mixing.map {
      MixedEpoch(
        $0, of: requests.prefix(samplesPerEpoch), shapes: machine.trained.inputs.map(\.shape),
        seed: context.options.seed, epoch: state.progress.epochCount)
    }
    let feed = machine.pipeline.feed(
      batches.flatMap { $0.chunked(by: machine.plan.microBatchSize) }, mixing: mixing)
    var now = ContinuousClock.now
    for batch in batches where state.progress.phase.endedBy == nil {
      try Task.checkCancellation()
      let (loss, rate) = try step(batch, from: feed, mixing: mixing)
      let before = now
      now = .now
      state.progress.phase.epochSeconds += (now - before).inSeconds
      if isOutOfTime() {
        endByBudget()
      } else if stepCount >= mostSteps {
        let isByEpochs = context.isRefit || phase.epochs.map { $0 * stepsPerEpoch == mostSteps } ?? false
        state.progress.phase.endedBy = (isByEpochs ? PhaseEnding.epochs : .steps).name
      }
      try context.events(.step(report(loss: loss, rate: rate, pictureCount: batch.endIndex)))
      try context.reached(.step)
    }
  }

  /// Takes one step.
  ///
  /// - Returns: J of the batch, and the learning rate.
  private func step(
    _ batch: ArraySlice<PictureRequest>, from feed: FeatureFeed, mixing: MixedEpoch?
  ) throws -> (Double, Double) {
    let loss = try machine.computeGradients(of: batch, from: feed, mixing: mixing, noting: &state.progress)
    guard loss.isFinite else {
      throw TrainingError(
        .diverged, subject: "phase \(phase.name), step \(state.progress.stepCount + 1)",
        detail: "the loss is no number any more; a lower learning rate may help")
    }
    machine.gradients?.add(to: &state.progress.phase.gradientNorms)
    let rate =
      phase.learningRate.value(step: stepCount, of: scheduledSteps, plateau: state.progress.phase.plateau)
      / (state.progress.phase.featurePower ?? 1)
    state.optimizer.step(learningRate: rate)
    state.average?.note()
    state.progress.stepCount += 1
    state.progress.phase.epochStepCount += 1
    return (loss, rate)
  }

  private func report(loss: Double, rate: Double, pictureCount: Int) -> TrainingEvent.StepReport {
    let progress = state.progress.phase
    let isBounded = phase.epochs != nil || phase.steps != nil
    let all = progress.epochSeconds / Double(progress.epochStepCount) * Double(mostSteps - stepCount)
    let bounds = [isBounded ? all : nil, secondsLeft].compactMap { $0 }
    return TrainingEvent.StepReport(
      phase: phase.name, epoch: progress.epochCount + 1, step: state.progress.stepCount, loss: loss,
      learningRate: rate, imagesPerSecond: Double(pictureCount) / progress.epochSeconds, secondsLeft: bounds.min())
  }

  /// Measures the network at the end of an epoch, closes the epoch's account, and decides how the phase goes on.
  func validate() throws {
    let begin = ContinuousClock.now
    let measured = context.isRefit ? nil : try measureAndKeep()
    let progress = state.progress.phase
    let pictureCount = min(samplesPerEpoch, progress.epochStepCount * stepSize)
    let summaries = measured?.tasks.map { ($0.task.name, $0.summary) } ?? []
    try context.events(
      .epoch(
        TrainingEvent.EpochReport(
          phase: phase.name, epoch: progress.epochCount + 1, loss: machine.losses.value(of: progress.losses),
          validationLoss: measured?.loss, validation: Dictionary(uniqueKeysWithValues: summaries),
          isBest: measured?.isBest ?? false, seconds: progress.epochSeconds + (ContinuousClock.now - begin).inSeconds,
          imagesPerSecond: Double(pictureCount) / progress.epochSeconds)))
    if let measured { noteMetrics(of: measured.tasks, loss: measured.loss) }
    let settled = noteGradients()
    state.progress.epochCount += 1
    state.progress.phase.endEpoch(pictureCount: pictureCount, losses: machine.losses.zeros)
    guard !settled.isEmpty, state.progress.phase.endedBy == nil else { return }
    try freeze(settled)
    try cacheFeaturesAnew()
  }

  /// Shows what was measured to everything that waits for it.
  private func noteMetrics(of tasks: [MetricAccumulator], loss: Double) {
    func value(_ metric: Metric) -> Double { metric.value(of: tasks, loss: loss) }
    for (index, trigger) in phase.until.enumerated() {
      let isOver = trigger.note(value(trigger.metric), in: &state.progress.phase.watches[index])
      if isOver, state.progress.phase.endedBy == nil {
        state.progress.phase.endedBy = PhaseEnding.trigger(trigger).name
      }
    }
    if case .reduceOnPlateau(let reduction) = phase.learningRate.shape {
      phase.learningRate.note(value(reduction.metric), in: &state.progress.phase.plateau)
    }
  }

  /// Measures the network, and keeps its weights if none were better; where weights are averaged, those.
  private func measureAndKeep() throws -> (tasks: [MetricAccumulator], loss: Double, isBest: Bool) {
    state.average?.exchange()
    defer { state.average?.exchange() }
    let measured = try machine.evaluator.measure(context.data.validation)
    let loss = machine.losses.value(of: measured.map(\.loss))
    guard loss.isFinite else {
      throw TrainingError(
        .diverged, subject: "phase \(phase.name), epoch \(state.progress.phase.epochCount + 1)",
        detail: "the validation loss is no number any more; a lower learning rate may help")
    }
    let isBestSoFar = loss < state.progress.bestLoss
    let isBestOfPhase = loss < state.progress.phase.bestLoss
    let isKept =
      switch restore {
      case .bestSoFar: isBestSoFar
      case .bestOfPhase: isBestOfPhase
      case .last: true
      }
    if isKept {
      state.best.take()
      state.progress.phase.bestEpochCount = state.progress.phase.epochCount + 1
    }
    // What a later phase has to be better than is what it begins with.
    if isBestSoFar || restore == .last { state.progress.bestLoss = loss }
    if isBestOfPhase { state.progress.phase.bestLoss = loss }
    return (measured, loss, restore == .last ? isBestOfPhase : isBestSoFar)
  }

  /// Looks at the gradients of the epoch.
  ///
  /// - Returns: The stages that have settled in it.
  private func noteGradients() -> [String] {
    guard let rule = phase.freezeSettled, let gradients = machine.gradients else { return [] }
    let progress = state.progress.phase
    let means = zip(gradients.stages, progress.gradientNorms).map { stage, sum in
      (stage: stage, gradient: sum / Double(max(1, progress.epochStepCount)))
    }
    for index in progress.gradientNorms.indices { state.progress.phase.gradientNorms[index] = 0 }
    let headTrains = machine.plan.trainable.contains { context.headLayers.contains($0.layer) }
    return rule.note(means, keepsLast: !headTrains, in: &state.progress.phase.settled)
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

extension MetricAccumulator {
  fileprivate var summary: TrainingEvent.TaskSummary {
    TrainingEvent.TaskSummary(loss: loss.mean, accuracy: confusion.accuracy)
  }
}
