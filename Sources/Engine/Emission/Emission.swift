import CKernels
import Graphs

/// A graph turned into the steps of one lane, before there is memory for them.
@EngineActor struct Emission {
  let emitter: Emitter
  let forwardCount: Int
  let segmentCount: Int
  /// Whether one thread does everything, since the others would come too late to help.
  let isAlone: Bool

  /// Turns a graph into steps that keep the activations between so many segments, or all for 1.
  private init(
    _ program: Program, parameters: ParameterBank, options: PlanOptions, segmentCount: Int, lane: LanePlace,
    isAlone: Bool
  ) throws(EngineError) {
    emitter = try Emitter(program: program, options: options, parameters: parameters, lane: lane)
    try emitter.emitForward()
    forwardCount = emitter.steps.count
    let recomputation = segmentCount > 1 ? Recomputation(of: program, segmentCount: segmentCount) : .none
    try emitter.emitBackward(recomputing: recomputation)
    self.segmentCount = max(1, recomputation.segments.count)
    self.isAlone = isAlone
  }

  /// The emissions of all lanes, the first one first.
  static func lanes(
    of graph: Graph, parameters: ParameterBank, options: PlanOptions, segmentCount: Int
  ) throws(EngineError) -> [Emission] {
    let count = try laneCount(for: program(graph, options), options)
    let divided = try lanes(count, of: graph, parameters, options, segmentCount)
    guard options.laneCount == nil, !options.without.contains(.lanes) else { return divided }
    let isSmall = divided[0].emitter.isSmall
    if !isSmall, count == 1 || divided[0].emitter.isWorthDividing { return divided }
    return try lanes(1, of: graph, parameters, options, segmentCount, alone: isSmall)
  }

  private static func lanes(
    _ count: Int, of graph: Graph, _ parameters: ParameterBank, _ options: PlanOptions, _ segmentCount: Int,
    alone isAlone: Bool = false
  ) throws(EngineError) -> [Emission] {
    var share = options
    share.batchSize /= count
    // Primitives decide when they are made how many threads they will use.
    let threadCount = EngineThreads.use(0)
    if count > 1 || isAlone { EngineThreads.use(1) }
    defer { EngineThreads.use(threadCount) }
    var result: [Emission] = []
    for index in 0..<count {
      result.append(
        // Operations remember what was decided for them, so that each lane has its own.
        try Emission(
          program(graph, options), parameters: parameters, options: share, segmentCount: segmentCount,
          lane: LanePlace(index: index, count: count, leader: result.first?.emitter), isAlone: isAlone))
    }
    return result
  }

  private static func program(_ graph: Graph, _ options: PlanOptions) throws(EngineError) -> Program {
    var program = try Program(graph, options: options)
    program.optimize(options)
    return program
  }

  /// One for each thread, where the batch can be shared out evenly; else one.
  private static func laneCount(for program: Program, _ options: PlanOptions) -> Int {
    let wanted = options.laneCount ?? EngineThreads.use(0)
    guard options.batchSize.isMultiple(of: wanted), !options.without.contains(.lanes) else { return 1 }
    // The statistics of a batch are of all its samples.
    return program.operations.contains { $0 is BatchStatisticsOperation } ? 1 : wanted
  }

  /// The emissions with the fewest segments that fit into the budget, in one lane where several take too much.
  ///
  /// - Throws: `EngineError.Code.memory` where none fits.
  static func fitting(
    _ graph: Graph, parameters: ParameterBank, options: PlanOptions
  ) throws(EngineError) -> [Emission] {
    var least = Int.max
    for segmentCount in [1, 2, 3, 4, 6, 8, 12, 16, 24] {
      var emissions = try lanes(of: graph, parameters: parameters, options: options, segmentCount: segmentCount)
      guard let budget = options.memoryBudget, emissions.byteCount > budget else { return emissions }
      if emissions.count > 1 {
        emissions = try lanes(1, of: graph, parameters, options, segmentCount)
        if emissions.byteCount <= budget { return emissions }
      }
      least = min(least, emissions.byteCount)
      if options.trainable.isEmpty { break }
    }
    throw EngineError(
      .memory, subject: "plan",
      detail:
        "needs \(least) bytes for \(options.batchSize) samples at once, but \(options.memoryBudget ?? 0) are allowed")
  }
}

extension [Emission] {
  /// The memory that all lanes take.
  @EngineActor var byteCount: Int { reduce(0) { $0 + $1.emitter.layout.byteCount } }
}

extension Emitter {
  /// Adds all steps of the forward pass, from the ports of inputs to those of outputs.
  func emitForward() throws(EngineError) {
    for input in program.inputs { set(input.value, port(program.shapes[input.value])) }
    for operation in program.operations { try operation.emitForward(self) }
    for output in program.outputs { try reorder(stored(output.value), to: port(program.shapes[output.value])) }
  }

  /// Adds all steps of the backward pass, from ports for the gradients of outputs to those of inputs.
  func emitBackward(recomputing recomputation: Recomputation) throws(EngineError) {
    guard !options.trainable.isEmpty || options.wantsInputGradients else { return }
    for output in program.outputs { try pass(port(program.shapes[output.value]), to: output.value) }
    try emitOperationsBackward(recomputing: recomputation)
    let target = gradientBuffer
    let (silent, run) = (silentGradients, run)
    if !silent.isEmpty {
      step("silent", "fill", touching: [target]) {
        guard !run.isAccumulating else { return }
        for range in silent { graft_fill(target.floats + range.lowerBound, 0, range.count) }
      }
    }
    for input in program.inputs where options.wantsInputGradients {
      let port = port(program.shapes[input.value])
      if let gradient = takeGradient(of: input.value) {
        try reorder(gradient, to: port)
      } else {
        step("silent", "fill", touching: [port.buffer]) { [n = count(port)] in graft_fill(port.buffer.floats, 0, n) }
      }
    }
  }
}
