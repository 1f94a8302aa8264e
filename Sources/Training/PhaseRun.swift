import Engine
import Freezing
import Graphs
import Tasks

/// One phase at work, from wherever in it the run's state is to its end.
@EngineActor
final class PhaseRun {
  let context: RunContext
  let state: RunState
  let phase: Phase
  /// The place of the phase in its schedule.
  let index: Int
  /// What is compiled for the parameters that train now.
  private(set) var machine: PhaseMachine
  /// What the phase meant when it began.
  private let whole: PhasePlan
  /// The samples of one optimizer step.
  let stepSize: Int
  /// The samples of one epoch.
  let samplesPerEpoch: Int
  /// The steps of a whole epoch.
  let stepsPerEpoch: Int

  /// Compiles a phase.
  ///
  /// - Parameters:
  ///   - phase: The phase, with its stages chosen.
  ///   - index: Its place in the schedule.
  /// - Throws: `EngineError` where no plan can be made, `ScheduleError` where the phase does not fit the network.
  init(_ phase: Phase, at index: Int, context: RunContext, state: RunState) throws {
    self.context = context
    self.state = state
    self.index = index
    self.phase = phase
    whole = context.plan(
      phase, at: index, trainable: try phase.trainable(in: context.graph, headLayers: context.headLayers))
    // A last short batch would be normalised by the zeros that fill it up.
    samplesPerEpoch =
      whole.movingStatistics.isEmpty
      ? context.data.training.count : context.data.training.count / context.batchSize * context.batchSize
    stepSize = context.batchSize * context.options.accumulation
    stepsPerEpoch = (samplesPerEpoch + stepSize - 1) / stepSize
    machine = try PhaseMachine(phase, whole, context: context, parameters: state.parameters)
    // On the same way to what trains now as before the run was stopped.
    var frozen: [String] = []
    for stages in state.progress.phase.freezings {
      frozen += stages
      machine = try PhaseMachine(phase, plan(without: frozen), context: context, parameters: state.parameters)
    }
  }

  /// Runs the phase to its end, and leaves the weights that its schedule wants.
  func run() throws {
    try begin()
    if state.progress.phase.endedBy == nil {
      try cacheFeatures()
      try measureFeatures()
    }
    while state.progress.phase.endedBy == nil || state.progress.phase.epochStepCount > 0 {
      try trainEpoch()
      try validate()
      try context.reached(.epoch)
    }
    try end()
  }

  /// The steps that the phase has taken.
  var stepCount: Int { state.progress.phase.epochCount * stepsPerEpoch + state.progress.phase.epochStepCount }

  /// Which weights go on after the phase.
  var restore: Schedule.Restore { phase.restore ?? context.schedule.restore }

  /// Whether those may be others than the ones of the last step.
  private var isRestored: Bool { restore != .last && !context.isRefit }

  /// The most steps that its learning rate is spread over.
  var scheduledSteps: Int { phase.stepCount(stepsPerEpoch: stepsPerEpoch) }

  /// The most steps that it may take; where it fits again, those of the epochs that turned out best.
  var mostSteps: Int {
    guard context.isRefit else { return scheduledSteps }
    let first = state.progress.reports[index - context.schedule.phases.count / 2]
    return min(scheduledSteps, first.bestEpoch * stepsPerEpoch)
  }

  /// What the phase means without some of its stages.
  private func plan(without frozen: [String]) -> PhasePlan {
    let stages = context.graph.trainableStages(headLayers: context.headLayers)
    let layers = Set(stages.filter { frozen.contains($0.name) }.flatMap(\.layers))
    return context.plan(phase, at: index, trainable: whole.trainable.filter { !layers.contains($0.layer) })
  }
}

// MARK: - From the beginning to the end

extension PhaseRun {
  /// Announces the phase, and turns state and optimizer to it.
  private func begin() throws {
    let isResumed = state.progress.phase.hasBegun
    let start = TrainingEvent.PhaseStart(
      phase: phase.name, index: index, phaseCount: context.schedule.phases.count,
      trainableParameters: whole.trainableCount,
      epochs: phase.epochs == nil && phase.steps == nil ? nil : (mostSteps + stepsPerEpoch - 1) / stepsPerEpoch,
      batchSize: min(stepSize, samplesPerEpoch), microBatchSize: machine.plan.microBatchSize)
    if isResumed {
      try context.events(.phaseResumed(start, epoch: state.progress.phase.epochCount + 1))
    } else {
      if mostSteps > 0 {
        try context.events(.phaseBegan(start))
      } else {
        try context.events(.note("\(phase.name): nothing to fit, as this phase had not made anything better"))
      }
      if let chosen = phase.choose?.chosen, context.schedule.phases[index].choose?.chosen == nil {
        try context.events(.note("phase \(phase.name): \(chosen.joined(separator: ", ")) chosen by their gradients"))
      }
      state.include(whole.changing, isRestored: isRestored)
      state.progress.phase.losses = machine.losses.zeros
      state.progress.phase.gradientNorms = machine.gradients?.zeros ?? []
      state.progress.phase.watches = phase.until.map { _ in MetricWatch() }
      state.progress.phase.hasBegun = true
      if isOutOfTime(beforeFirstStep: true) { endByBudget() }
      if mostSteps == 0 { state.progress.phase.endedBy = PhaseEnding.epochs.name }
    }
    if let average = context.schedule.average {
      state.beginAverage(average, of: machine.plan.changing, stepCount: stepCount)
    }
    turnOptimizer(forgetting: !isResumed && phase.optimizerState == .reset)
  }

  /// Turns the optimizer to the parameters that train now.
  private func turnOptimizer(forgetting forgets: Bool) {
    let multipliers = phase.multipliers?.factors(
      for: machine.plan.trainable, in: context.graph, headLayers: context.headLayers)
    state.optimizer.train(
      machine.trained.gradients, by: phase.optimizer, clipping: phase.clipping, multipliers: multipliers ?? [:],
      forgetting: forgets)
  }

  /// Runs the frozen part once for every picture, as far as that can be kept.
  private func cacheFeatures() throws {
    let isKnown = state.progress.phase.isCached != nil
    guard context.options.cachesFeatures else {
      state.progress.phase.isCached = false
      return
    }
    let forms = context.forms
    let validation = context.isRefit ? [] : context.data.validation.map { PictureRequest($0) }
    let requests = (forms ?? []) + Set(forms ?? []).missing(validation)
    guard !requests.isEmpty else {
      state.progress.phase.isCached = false
      return
    }
    let outcome = try machine.pipeline.cache(
      requests, alongWith: context.features.usefulLater(at: machine.plan.frontier, ofPhase: index),
      library: context.library,
      memoryBudget: context.features.memoryBudget(for: machine.pipeline), folder: context.cacheFolder
    ) { count throws in
      try Task.checkCancellation()
      try context.events(.featuresCached(count: count, of: requests.count))
    }
    if !outcome.hasRoom, machine.pipeline.hasPrefix, !isKnown {
      try context.events(
        .note("phase \(phase.name): no room to keep what the frozen part puts out, so it runs at every step"))
    }
    state.progress.phase.reusedCount += outcome.reusedCount
    state.progress.phase.isCached = outcome.hasRoom && forms != nil && machine.pipeline.hasPrefix
  }

  /// Measures what enters the part that trains, where the learning rate is measured in it: on the first pictures.
  private func measureFeatures() throws {
    guard phase.rateUnit == .featurePower, state.progress.phase.featurePower == nil else { return }
    let requests = context.data.trainingRequests(seed: context.options.seed, epoch: 0).prefix(256)
    let lists = requests.chunked(by: machine.plan.microBatchSize)
    let feed = machine.pipeline.feed(lists)
    var sum = 0.0
    for _ in lists {
      try Task.checkCancellation()
      _ = try feed.next(into: machine.trained.inputs)
      for input in machine.trained.inputs { sum += input.values.reduce(0) { $0 + Double($1) * Double($1) } }
    }
    state.progress.phase.featurePower = 1 + sum / Double(requests.count)
  }

  /// Freezes stages that have settled, and goes on with the others.
  func freeze(_ stages: [String]) throws {
    try context.events(
      .note("phase \(phase.name): \(stages.joined(separator: ", ")) settled, and frozen from here on"))
    state.progress.phase.freezings.append(stages)
    let before = machine.plan
    let after = plan(without: state.progress.phase.freezings.flatMap { $0 })
    if let average = context.schedule.average {
      state.settleAverage(average, of: before.changing.subtracting(after.changing), goingOnWith: after.changing)
    }
    machine = try PhaseMachine(phase, after, context: context, parameters: state.parameters)
    state.progress.phase.gradientNorms = machine.gradients?.zeros ?? []
    turnOptimizer(forgetting: false)
  }

  /// Keeps the features before what still trains, once stages have been frozen.
  func cacheFeaturesAnew() throws {
    try cacheFeatures()
    context.features.forget(but: machine.plan.frontier, ofPhase: index)
  }

  /// Restores the weights that the schedule wants, and closes the phase's account.
  private func end() throws {
    let progress = state.progress.phase
    let best = restore == .bestSoFar ? state.progress.bestLoss : progress.bestLoss
    state.endAverage()
    if isRestored, best.isFinite, progress.epochCount > 0 { state.best.restore() }
    context.features.forget(but: nil, ofPhase: index)
    if phase.budget != nil || context.schedule.budget != nil, progress.endedBy != PhaseEnding.budget.name {
      state.progress.record.phases[index].timed = RunRecord.Timed(steps: stepCount, isCut: false)
    }
    let report = PhaseReport(
      name: phase.name, trainableParameters: whole.trainableCount, epochs: progress.epochCount,
      bestEpoch: isRestored ? progress.bestEpochCount : progress.epochCount,
      seconds: state.clock.seconds - progress.beginSeconds,
      imagesPerSecond: progress.pictureCount > 0 ? Double(progress.pictureCount) / progress.trainingSeconds : 0,
      cached: progress.isCached ?? false, reusedFeatures: progress.reusedCount,
      microBatchSize: machine.plan.microBatchSize,
      arenaBytes: machine.trained.arenaByteCount, bestValidationLoss: min(state.progress.bestLoss, progress.bestLoss),
      endedBy: progress.endedBy ?? "")
    try context.events(.phaseEnded(report))
    state.progress.reports.append(report)
    state.progress.phase = PhaseProgress()
  }
}

// MARK: - Time

extension PhaseRun {
  /// Whether the time of the phase, or of all phases, is over; what an earlier run has recorded counts in its place.
  func isOutOfTime(beforeFirstStep: Bool = false) -> Bool {
    guard phase.budget != nil || context.schedule.budget != nil else { return false }
    if let timed = state.progress.record.phases[index].timed { return timed.isCut && stepCount >= timed.steps }
    let now = state.clock.seconds
    // The first phase trains for a step at least, and so does a phase with time of its own.
    if let budget = context.schedule.budget, now >= budget.seconds, !beforeFirstStep || index > 0 { return true }
    guard let budget = phase.budget, !beforeFirstStep else { return false }
    return now - state.progress.phase.beginSeconds >= budget.seconds
  }

  /// Ends the phase since its time is over, and records at which step, so that whoever runs it again ends there too.
  func endByBudget() {
    state.progress.phase.endedBy = PhaseEnding.budget.name
    state.progress.record.phases[index].timed = RunRecord.Timed(steps: stepCount, isCut: true)
  }

  /// How much time is left by the clock; nil where nobody bounds it.
  var secondsLeft: Double? {
    let now = state.clock.seconds
    let ends = [
      context.schedule.budget?.seconds, phase.budget.map { state.progress.phase.beginSeconds + $0.seconds },
    ]
    return ends.compactMap { $0.map { max(0, $0 - now) } }.min()
  }
}

extension Set {
  /// Those of some elements that are not here, in their order.
  fileprivate func missing(_ elements: [Element]) -> [Element] { elements.filter { !contains($0) } }
}
