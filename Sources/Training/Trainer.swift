import Engine
import Freezing
import Graphs
import Tasks

/// Fine-tunes a network: phase after phase of a schedule, on labelled pictures.
///
/// With the same network, data, schedule, options and number of threads on the same machine, the weights come out the
/// same to the bit, however often the run stops on its way and goes on from its state.
@EngineActor
package final class Trainer {
  /// Everything that changes while training: between two steps it is all that is needed to go on.
  package let state: RunState
  /// The parameters: as they are now while training, and the result afterwards.
  package var parameters: ParameterBank { state.parameters }

  private var context: RunContext
  /// The same for the phases that fit again; nil where none do.
  private var refitContext: RunContext?
  /// The weights that everything begins with.
  private let weights: Weights

  /// A trainer of a network.
  ///
  /// - Parameters:
  ///   - graph: The network that ends in one vector of logits a task, in the order of the tasks of `data`.
  ///   - record: What an earlier run has decided, to decide the same.
  ///   - cacheFolder: Where features go that memory has no room for; nil for nowhere.
  ///   - library: Where features of earlier runs are, and those of this one go; nil for nowhere.
  ///   - events: Told of everything that happens, on the engine's thread; an error that it throws ends the run.
  /// - Throws: ``TrainingError`` for options or tasks that do not fit, `ScheduleError`, and `EngineError` where weights
  ///   are missing or a phase does not fit into the memory budget.
  package init(
    graph: Graph, weights: Weights, heads: [Head], data: TrainingData, schedule: Schedule, options: TrainingOptions,
    record: RunRecord? = nil, cacheFolder: String? = nil, library: FeatureLibrary? = nil,
    events: @escaping (TrainingEvent) throws -> Void = { _ in }
  ) throws {
    try options.validate()
    try schedule.validate()
    let widths = graph.outputs.map { graph.nodes[$0].outputShape.elementCount }
    let tasks = data.labels.tasks
    guard widths == tasks.map(\.outputCount), heads.map(\.task) == tasks.map(\.name) else {
      throw TrainingError(
        .tasksDiffer, subject: "model",
        detail: "answers \(Self.spoken(heads.map(\.task), widths)), but the data has "
          + Self.spoken(tasks.map(\.name), tasks.map(\.outputCount)))
    }
    try schedule.check(tasks: tasks.map(\.name))
    let pictureShape = data.pictures.pictureShape
    guard graph.inputs.count == 1, graph.nodes[graph.inputs[0]].outputShape == pictureShape else {
      throw TrainingError(
        .tasksDiffer, subject: "model",
        detail: "expected one input of pictures \(pictureShape), found "
          + graph.inputs.map { graph.nodes[$0].outputShape.description }.joined(separator: ", "))
    }
    EngineThreads.choose(options.threads)
    let now = RunRecord(version: graftVersion, engine: .current, phases: [])
    let state = try RunState(graph: graph, weights: weights, record: now)
    let headLayers = Set(heads.flatMap(\.layers))
    let whole = schedule.refit ? try data.trainingOnValidation : nil
    var schedule = schedule
    let firstCount = schedule.phases.count
    schedule.phases = schedule.allPhases
    let plans = try schedule.phases.enumerated().map { index, phase in
      let trainingCount = (index < firstCount ? data : whole ?? data).training.count
      let recorded = record?.phase(named: phase.name, at: index)
      var plan = PhasePlan(
        phase,
        trainable: try phase.trainableOrCandidates(in: graph, headLayers: headLayers),
        graph: graph, heads: heads, batchSize: min(options.batchSize, trainingCount),
        microBatchSize: recorded?.microBatchSize ?? options.microBatchSize)
      if recorded == nil, let budget = options.memoryBudget {
        try plan.fit(into: budget, phase: phase, in: graph, parameters: state.parameters, options: options)
      }
      state.progress.record.phases.append(
        RunRecord.Phase(
          name: phase.name, microBatchSize: plan.microBatchSize, chosen: recorded?.chosen, timed: recorded?.timed))
      return plan
    }
    if let strength = schedule.regularization?.towardsPretrained, strength > 0 {
      let trunk = weights.tensors.filter { !headLayers.contains($0.key.layer) }
      state.optimizer.pull(towards: Weights(trunk), strength: strength)
    }
    self.state = state
    self.weights = weights
    let features = FeatureChain(
      graph,
      frontiers: zip(schedule.phases, plans).map { phase, plan in
        phase.isOpen ? nil : plan.frontier
      }, parameters: state.parameters, source: data.pictures, options: options)
    func context(_ data: TrainingData, isRefit: Bool) -> RunContext {
      RunContext(
        graph: graph, heads: heads, data: data, schedule: schedule, isRefit: isRefit,
        forms: (whole ?? data).trainingForms, options: options, plans: plans, features: features,
        cacheFolder: cacheFolder, library: library, events: events)
    }
    self.context = context(data, isRefit: false)
    refitContext = whole.map { context($0, isRefit: true) }
  }

  /// Goes on where a checkpoint was written, instead of at the beginning.
  ///
  /// - Throws: ``TrainingError`` with code `unfitCheckpoint` where it is none of such a run.
  package func resume(_ checkpoint: Checkpoint) throws(TrainingError) {
    let progress = checkpoint.progress
    let phases = context.schedule.phases
    func fits() -> Bool {
      guard phases.map(\.name).starts(with: progress.reports.map(\.name)) else { return false }
      guard progress.phase.hasBegun else { return true }
      guard progress.reports.count < phases.count else { return false }
      let phase = phases[progress.reports.count]
      return progress.phase.losses.count == context.data.labels.tasks.count
        && progress.phase.watches.count == phase.until.count
        // There are none either once all stages have settled.
        && (phase.freezeSettled != nil || progress.phase.gradientNorms.isEmpty)
    }
    guard fits() else {
      throw TrainingError(
        .unfitCheckpoint, subject: "checkpoint", detail: "stands where no run of this schedule can stand")
    }
    // What this process has recorded is no less than what the one before had, since that was written first; only when the
    // time of the phase under way was over is known to the checkpoint alone.
    var record = state.progress.record
    for (index, phase) in progress.record.phases.enumerated()
    where record.phases.indices.contains(index) && record.phases[index].timed == nil {
      record.phases[index].timed = phase.timed
    }
    state.resume(checkpoint)
    state.progress.record = record
  }

  /// Runs all phases that are left.
  ///
  /// - Parameter reached: Called wherever the run may be kept; where the task is cancelled, once more before the error.
  /// - Throws: `CancellationError` where the task is cancelled, at the next step; whatever fails.
  package func run(reached: @escaping (RunMoment) throws -> Void = { _ in }) throws -> [PhaseReport] {
    context.reached = reached
    refitContext?.reached = reached
    do {
      while state.progress.reports.count < context.schedule.phases.count {
        let index = state.progress.reports.count
        let isRefit = refitContext != nil && index >= context.schedule.phases.count / 2
        if isRefit, state.progress.validation == nil { try beginAnew() }
        let context = isRefit ? refitContext ?? context : context
        if !state.progress.phase.hasBegun { state.progress.phase.beginSeconds = state.clock.seconds }
        let phase = try StageMeasurement(at: index, context: context, state: state).phase()
        try PhaseRun(phase, at: index, context: context, state: state).run()
        try reached(.phase)
      }
    } catch let error as CancellationError {
      try reached(.interruption)
      throw error
    }
    return state.progress.reports
  }

  /// Measures the network as it is now.
  package func evaluator() throws(EngineError) -> Evaluator {
    try context.features.evaluator(parameters: state.parameters, labels: context.data.labels)
  }

  /// Measures what has been chosen, and goes back to where everything began.
  private func beginAnew() throws {
    let measured = try evaluator().measure(context.data.validation)
    state.progress.validation = Dictionary(uniqueKeysWithValues: measured.map { ($0.task.name, $0.metrics) })
    state.restart(from: weights)
    // From here on the run is one on all pictures, to the bit.
    state.progress.epochCount = 0
    state.progress.passCount = 0
    let count = context.data.training.count + context.data.validation.count
    try context.events(.note("trains once more from the beginning, now on all \(count) pictures"))
  }

  private static func spoken(_ names: [String], _ counts: [Int]) -> String {
    zip(names, counts).map { "\($0) with \($1) classes" }.joined(separator: ", ")
  }
}
