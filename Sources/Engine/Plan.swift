import CKernels
import Graphs
import Tensors

/// A network compiled for the parameters that train: every step in order, and every buffer in its place.
///
/// ```
/// Graph + trainable set + batch size → lower → passes → Plan
/// ```
/// A plan allocates when it is made and never again. Parameters stay in their bank, so that another plan for another
/// trainable set goes on with the same numbers.
@EngineActor public final class Plan {
  /// How many samples one run computes.
  public let batchSize: Int
  /// What is fed before `forward`, in the order of the graph's inputs.
  public let inputs: [PlanPort]
  /// What `forward` computes, in the order of the graph's outputs.
  public let outputs: [PlanPort]
  /// The gradients of the outputs, which the caller writes between `forward` and `backward`.
  ///
  /// They are in the order of `outputs`, and there are none where nothing trains. `backward` may overwrite them.
  public let outputGradients: [UnsafeMutableBufferPointer<Float>]
  /// The gradients of the inputs, made by `backward` where the options ask for them; a single run's, never accumulated.
  public let inputGradients: [UnsafeMutableBufferPointer<Float>]
  /// The gradients of all parameters that train, made by `backward`.
  public let gradients: GradientBuffer

  /// In how many segments the network runs forward again on the way back, to save memory; 1 where everything is kept.
  public let segmentCount: Int

  private let parameters: ParameterBank
  private let arena: Arena
  private let run: RunState
  let forwardSteps: [Step]
  let backwardSteps: [Step]
  let workloads: [Workload]
  private var packs: [Pack]
  private var seenVersion = 0

  /// Compiles a graph.
  ///
  /// - Throws: `EngineError` with code `unsupportedLayer`, `primitive` or `memory`.
  public init(_ graph: Graph, parameters: ParameterBank, options: PlanOptions) throws(EngineError) {
    let (emission, layout) = try Emission.fitting(graph, parameters: parameters, options: options)
    let (emitter, program, ports) = (emission.emitter, emission.emitter.program, emission.ports)
    let (outputGradients, inputGradients) = (emission.gradients.outputs, emission.gradients.inputs)
    arena = try emitter.layOut(layout)
    segmentCount = emission.segmentCount
    batchSize = options.batchSize
    self.parameters = parameters
    run = emitter.run
    forwardSteps = Array(emitter.steps[..<emission.forwardCount])
    backwardSteps = Array(emitter.steps[emission.forwardCount...])
    packs = emitter.packs
    workloads = emitter.workloads
    inputs = zip(program.inputs, ports.inputs).map { PlanPort(name: $0.name, activation: $1) }
    outputs = zip(program.outputs, ports.outputs).map {
      PlanPort(name: $0.name, activation: $1, isRoundedToBFloat16: emitter.stored($0.value).type == .bf16)
    }
    self.outputGradients = outputGradients.map { UnsafeMutableBufferPointer(start: $0.floats, count: $0.byteCount / 4) }
    self.inputGradients = inputGradients.map { UnsafeMutableBufferPointer(start: $0.floats, count: $0.byteCount / 4) }
    gradients = GradientBuffer(
      values: UnsafeMutableBufferPointer(
        start: emitter.gradientBuffer.floats, count: emitter.gradientBuffer.byteCount / 4),
      ranges: emitter.gradientRanges.map { ($0.key, $0.value) }.sorted { $0.1.lowerBound < $1.1.lowerBound })
  }

  /// How much memory a plan would take that keeps all activations, to the byte, without taking it.
  ///
  /// - Throws: `EngineError` with code `unsupportedLayer` or `primitive`.
  public static func byteCount(
    of graph: Graph, parameters: ParameterBank, options: PlanOptions
  ) throws(EngineError) -> Int {
    try Emission(graph, parameters: parameters, options: options, segmentCount: 1).emitter.layout.byteCount
  }

  /// How much memory all activations, gradients and packed parameters take.
  public var arenaByteCount: Int { arena.byteCount }

  /// Computes the outputs for the samples that lie in the inputs.
  ///
  /// - Parameter step: which masks dropout draws; the same number draws the same.
  public func forward(step: UInt64 = 0) {
    refresh()
    run.step = step
    for step in forwardSteps { step.run() }
  }

  /// Computes the gradients of all parameters that train from those of the outputs, after `forward`.
  ///
  /// - Parameter accumulating: whether to add to the gradients that are there, as with the parts of a larger batch.
  public func backward(accumulating: Bool = false) {
    run.isAccumulating = accumulating
    for step in backwardSteps { step.run() }
  }

  /// Brings the plan's copies of changed parameters up to date.
  private func refresh() {
    guard parameters.version != seenVersion else { return }
    for index in packs.indices {
      var newest = 1
      for path in packs[index].paths { newest = max(newest, parameters.version(of: path)) }
      guard newest != packs[index].version else { continue }
      packs[index].body()
      packs[index].version = newest
    }
    seenVersion = parameters.version
  }
}

/// Where samples go into a plan or results come out.
@EngineActor public struct PlanPort {
  /// The name of the layer.
  public let name: String
  /// The shape of one sample.
  public let shape: Shape
  /// All samples of a batch, `[N, …]`, channels last.
  public let values: UnsafeMutableBufferPointer<Float>
  /// Whether all numbers are among those that bfloat16 has, so that half of their bytes say everything.
  package let isRoundedToBFloat16: Bool

  init(name: String, activation: Emitter.Activation, isRoundedToBFloat16: Bool = false) {
    self.name = name
    self.isRoundedToBFloat16 = isRoundedToBFloat16
    shape = activation.shape
    values = UnsafeMutableBufferPointer(start: activation.buffer.floats, count: activation.buffer.byteCount / 4)
  }
}

/// The gradients of all parameters that train, in one piece of memory.
@EngineActor public struct GradientBuffer {
  /// All gradients, one parameter behind another.
  public let values: UnsafeMutableBufferPointer<Float>
  /// Which parameter lies where, in order.
  public let ranges: [(path: ParameterPath, range: Range<Int>)]

  /// The gradient of one parameter; nil where it does not train.
  public subscript(path: ParameterPath) -> UnsafeMutableBufferPointer<Float>? {
    guard let range = ranges.first(where: { $0.path == path })?.range else { return nil }
    return UnsafeMutableBufferPointer(rebasing: values[range])
  }
}

/// A graph turned into steps, before there is memory for them.
@EngineActor private struct Emission {
  let emitter: Emitter
  let ports: (inputs: [Emitter.Activation], outputs: [Emitter.Activation])
  let forwardCount: Int
  let gradients: (outputs: [Buffer], inputs: [Buffer])
  let segmentCount: Int

  /// Turns a graph into steps that keep the activations between so many segments, or all for 1.
  init(
    _ graph: Graph, parameters: ParameterBank, options: PlanOptions, segmentCount: Int
  ) throws(EngineError) {
    var program = try Program(graph, options: options)
    program.optimize(without: options.without)
    emitter = try Emitter(program: program, options: options, parameters: parameters)
    ports = try emitter.emitForward()
    forwardCount = emitter.steps.count
    let recomputation = segmentCount > 1 ? Recomputation(of: program, segmentCount: segmentCount) : .none
    gradients = try emitter.emitBackward(recomputing: recomputation)
    self.segmentCount = max(1, recomputation.segments.count)
  }

  /// The emission with the fewest segments that fits into the budget, and where its buffers lie.
  ///
  /// - Throws: `EngineError.Code.memory` where none fits.
  static func fitting(
    _ graph: Graph, parameters: ParameterBank, options: PlanOptions
  ) throws(EngineError) -> (Emission, Arena.Layout) {
    var least = Int.max
    for segmentCount in [1, 2, 3, 4, 6, 8, 12, 16, 24] {
      let emission = try Emission(graph, parameters: parameters, options: options, segmentCount: segmentCount)
      let layout = emission.emitter.layout
      guard let budget = options.memoryBudget, layout.byteCount > budget else { return (emission, layout) }
      least = min(least, layout.byteCount)
      if options.trainable.isEmpty { break }
    }
    throw EngineError(
      .memory, subject: "plan",
      detail:
        "needs \(least) bytes for \(options.batchSize) samples at once, but \(options.memoryBudget ?? 0) are allowed")
  }
}

extension Emitter {
  /// Adds all steps of the forward pass, and says where inputs and outputs are.
  func emitForward() throws(EngineError) -> (inputs: [Activation], outputs: [Activation]) {
    var inputs: [Activation] = []
    for input in program.inputs {
      let port = activation(program.shapes[input.value], .channelsLast)
      port.buffer.persist()
      set(input.value, port)
      inputs.append(port)
    }
    for operation in program.operations { try operation.emitForward(self) }
    var outputs: [Activation] = []
    for output in program.outputs {
      let made = stored(output.value)
      let port = activation(made.shape, .channelsLast)
      port.buffer.persist()
      try reorder(made, to: port)
      outputs.append(port)
    }
    return (inputs, outputs)
  }

  /// Adds all steps of the backward pass, and says where the gradients of outputs are expected and those of inputs made.
  func emitBackward(
    recomputing recomputation: Recomputation
  ) throws(EngineError) -> (outputs: [Buffer], inputs: [Buffer]) {
    guard !options.trainable.isEmpty || options.wantsInputGradients else { return ([], []) }
    var ports: [Buffer] = []
    for output in program.outputs {
      let port = activation(program.shapes[output.value], .channelsLast)
      port.buffer.persist()
      ports.append(port.buffer)
      try pass(port, to: output.value)
    }
    try emitOperationsBackward(recomputing: recomputation)
    let target = gradientBuffer
    let (silent, run) = (silentGradients, run)
    if !silent.isEmpty {
      step("silent", "fill", touching: [target]) {
        guard !run.isAccumulating else { return }
        for range in silent { graft_fill(target.floats + range.lowerBound, 0, range.count) }
      }
    }
    var inputs: [Buffer] = []
    for input in program.inputs where options.wantsInputGradients {
      let port = activation(program.shapes[input.value], .channelsLast)
      port.buffer.persist()
      if let gradient = takeGradient(of: input.value) {
        try reorder(gradient, to: port)
      } else {
        step("silent", "fill", touching: [port.buffer]) { [n = count(port)] in graft_fill(port.buffer.floats, 0, n) }
      }
      inputs.append(port.buffer)
    }
    return (ports, inputs)
  }
}
