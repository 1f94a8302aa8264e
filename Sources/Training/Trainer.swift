import Engine
import Freezing
import Graphs
import Tasks

/// Fine-tunes a network: phase after phase of a schedule, on labelled pictures.
///
/// With the same network, data, schedule, options and number of threads on the same machine, the weights come out the
/// same to the bit.
@EngineActor
package final class Trainer {
  /// Where a run stands at the end of a phase.
  package struct State {
    /// How many phases are done.
    package let phaseCount: Int
    /// Epochs of all phases so far.
    package let epochCount: Int
    /// Optimizer steps so far.
    package let stepCount: Int
    /// Forward passes so far, which number the dropout masks.
    package let passCount: UInt64
    /// The lowest validation loss so far.
    package let bestLoss: Double
    /// The parameters.
    package let parameters: ParameterBank
    /// The optimizer with its running means.
    package let optimizer: Optimizer
  }

  /// The parameters: as they are now while training, and the result afterwards.
  package let parameters: ParameterBank

  private let schedule: Schedule
  private var context: PhaseRun.Context

  /// A trainer of a network.
  ///
  /// - Parameters:
  ///   - graph: The network that ends in one vector of logits a task, in the order of the tasks of `data`.
  ///   - cacheFolder: Where features go that memory has no room for; nil for nowhere.
  ///   - library: Where features of earlier runs are, and those of this one go; nil for nowhere.
  ///   - events: Told of everything that happens, on the engine's thread; an error that it throws ends the run.
  /// - Throws: ``TrainingError`` for options or tasks that do not fit, `ScheduleError`, and `EngineError` where weights
  ///   are missing.
  package init(
    graph: Graph, weights: Weights, heads: [Head], data: TrainingData, schedule: Schedule, options: TrainingOptions,
    cacheFolder: String? = nil, library: FeatureLibrary? = nil,
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
    let pictureShape = data.pictures.pictureShape
    guard graph.inputs.count == 1, graph.nodes[graph.inputs[0]].outputShape == pictureShape else {
      throw TrainingError(
        .tasksDiffer, subject: "model",
        detail: "expected one input of pictures \(pictureShape), found "
          + graph.inputs.map { graph.nodes[$0].outputShape.description }.joined(separator: ", "))
    }
    EngineThreads.use(options.threads)
    self.schedule = schedule
    let bank = try ParameterBank(graph: graph, weights: weights)
    parameters = bank
    let plans = try schedule.phases.map { phase in
      var plan = try PhasePlan(
        phase, graph: graph, heads: heads, batchSize: min(options.batchSize, data.training.count),
        microBatchSize: options.microBatchSize)
      if let budget = options.memoryBudget {
        try plan.fit(into: budget, phase: phase, parameters: bank, options: options)
      }
      return plan
    }
    context = PhaseRun.Context(
      graph: graph, heads: heads, parameters: parameters, data: data, options: options,
      optimizer: Optimizer(graph: graph, parameters: parameters), plans: plans,
      features: FeatureChain(
        graph, frontiers: plans.map(\.frontier), parameters: parameters, source: data.pictures, options: options),
      events: events, cacheFolder: cacheFolder, library: library,
      best: BestWeights(graph: graph, parameters: parameters))
  }

  /// Runs all phases.
  ///
  /// - Parameter phaseEnded: Called after each phase, to keep what a crash would lose.
  package func run(phaseEnded: (State) throws -> Void = { _ in }) throws -> [PhaseReport] {
    var reports: [PhaseReport] = []
    for (index, phase) in schedule.phases.enumerated() {
      let run = try PhaseRun(phase, at: index, context: context)
      reports.append(try run.run(of: schedule.phases.count, restore: schedule.restore, context: &context))
      try phaseEnded(
        State(
          phaseCount: index + 1, epochCount: context.epochCount, stepCount: context.stepCount,
          passCount: context.passCount, bestLoss: context.best.loss, parameters: parameters,
          optimizer: context.optimizer))
    }
    return reports
  }

  private static func spoken(_ names: [String], _ counts: [Int]) -> String {
    zip(names, counts).map { "\($0) with \($1) classes" }.joined(separator: ", ")
  }
}
