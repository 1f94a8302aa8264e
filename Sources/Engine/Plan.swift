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
  let lanes: Lanes
  /// How many of each lane's steps belong to the forward pass.
  let forwardCount: Int
  let workloads: [Workload]
  /// What each of them takes alone for one sample, in milliseconds, once it has been measured.
  var limits: [Workload: Double] = [:]
  private let packing: Packing
  /// Whether the gradients are those of a whole batch, to which no part can be added any more.
  private var isComplete = true
  /// Gradients of a batch before, to which those of the next are added.
  private var carried: [Float] = []

  /// Compiles a graph.
  ///
  /// - Throws: `EngineError` with code `unsupportedLayer`, `primitive` or `memory`.
  public init(_ graph: Graph, parameters: ParameterBank, options: PlanOptions) throws(EngineError) {
    let emissions = try Emission.fitting(graph, parameters: parameters, options: options)
    var lanes: [Lane] = []
    for emission in emissions {
      lanes.append(Lane(emission.emitter, arena: try emission.emitter.layOut(emission.emitter.layout)))
    }
    let emitter = emissions[0].emitter
    self.lanes = Lanes(
      lanes, isAlone: emissions[0].isAlone, finishes: emitter.finishes, jointGradients: emitter.jointGradients)
    let program = emitter.program
    segmentCount = emissions[0].segmentCount
    forwardCount = emissions[0].forwardCount
    batchSize = options.batchSize
    self.parameters = parameters
    packing = Packing(emitter.packs, tables: emitter.tables)
    workloads = emitter.workloads
    var ports = emitter.ports[...]
    inputs = program.inputs.map { PlanPort(name: $0.name, shape: program.shapes[$0.value], port: ports.removeFirst()) }
    outputs = program.outputs.map {
      PlanPort(
        name: $0.name, shape: program.shapes[$0.value], port: ports.removeFirst(),
        isRoundedToBFloat16: emitter.stored($0.value).type == .bf16)
    }
    let gradients = ports.map { UnsafeMutableBufferPointer(start: $0.floats, count: $0.byteCount / 4) }
    let outputGradientCount = gradients.isEmpty ? 0 : program.outputs.count
    outputGradients = Array(gradients[..<outputGradientCount])
    inputGradients = Array(gradients[outputGradientCount...])
    self.gradients = GradientBuffer(
      values: lanes[0].gradients,
      ranges: emitter.gradientRanges.map { ($0.key, $0.value) }.sorted { $0.1.lowerBound < $1.1.lowerBound })
  }

  /// How much memory a plan would take that keeps all activations, to the byte, without taking it.
  ///
  /// - Throws: `EngineError` with code `unsupportedLayer` or `primitive`.
  public static func byteCount(
    of graph: Graph, parameters: ParameterBank, options: PlanOptions
  ) throws(EngineError) -> Int {
    try Emission.lanes(of: graph, parameters: parameters, options: options, segmentCount: 1).byteCount
  }

  /// Makes sure that a plan could be compiled within the memory that its options allow, without taking it.
  ///
  /// - Throws: `EngineError` with code `unsupportedLayer`, `primitive` or `memory`.
  public static func checkMemory(
    of graph: Graph, parameters: ParameterBank, options: PlanOptions
  ) throws(EngineError) {
    _ = try Emission.fitting(graph, parameters: parameters, options: options)
  }

  /// How much memory all activations, gradients and packed parameters take.
  public var arenaByteCount: Int { lanes.lanes.reduce(0) { $0 + $1.arenaByteCount } }

  /// Computes the outputs for the samples that lie in the inputs.
  ///
  /// - Parameter step: which masks dropout draws; the same number draws the same.
  public func forward(step: UInt64 = 0) {
    lanes.withTheirThreads { packing.refresh(from: parameters) }
    for lane in lanes.lanes { lane.run.step = step }
    lanes.run(0..<forwardCount)
  }

  /// Computes the gradients of all parameters that train from those of the outputs, after `forward`.
  ///
  /// - Parameters:
  ///   - accumulating: whether to add to the gradients that are there, as with the parts of a larger batch.
  ///   - completing: whether the gradients will be read before the next call; they are not whole before one that says so.
  public func backward(accumulating: Bool = false, completing: Bool = true) {
    if !accumulating { carried = [] } else if isComplete { carried = Array(gradients.values) }
    for lane in lanes.lanes { lane.run.isAccumulating = accumulating && !isComplete }
    lanes.run(forwardCount..<lanes.first.steps.count)
    lanes.runTogether()
    isComplete = completing
    guard completing else { return }
    lanes.finishGradients()
    if carried.isEmpty { return }
    graft_accumulate(gradients.values.baseAddress, carried, carried.count, graft_f32)
    carried = []
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

  init(name: String, shape: Shape, port: Buffer, isRoundedToBFloat16: Bool = false) {
    self.name = name
    self.isRoundedToBFloat16 = isRoundedToBFloat16
    self.shape = shape
    values = UnsafeMutableBufferPointer(start: port.floats, count: port.byteCount / 4)
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
