import CDNNL
import CKernels
import Graphs
import Tensors

/// Turns operations into steps: chooses layouts, asks for memory, and keeps account of who reads what when.
@EngineActor final class Emitter {
  typealias ValueID = Program.ValueID

  /// A value or a gradient in memory.
  struct Activation {
    var buffer: Buffer
    var layout: ActivationLayout
    var shape: Shape
    var type = NumberType.f32
    /// Of a gradient: whether it is zero already where the function that made the value lets nothing through.
    var isCut = false
  }

  /// How a value can lie in memory.
  private struct Form: Hashable {
    var layout: ActivationLayout
    var type: NumberType
  }

  let program: Program
  /// What is wanted of this lane, whose batch is its share of the whole.
  let options: PlanOptions
  let lane: LanePlace
  let parameters: ParameterBank
  let engine: dnnl_engine_t
  let stream: dnnl_stream_t
  /// What changes from run to run.
  let run = RunState()

  private(set) var steps: [Step] = []
  /// What is done at the end of the way back for all lanes at once, once each of them has come there.
  private(set) var jointSteps: [Step] = []
  /// The convolutions and matrix products among the steps, without those that run again only to save memory.
  private(set) var workloads: [Workload] = []
  /// Whether forward steps are added that have run before in the same step.
  var isRecomputing = false
  private(set) var buffers: [Buffer] = []
  /// Work that is done when parameters have changed, before the next run; the first lane does it for all.
  private(set) var packs: [Pack] = []
  private(set) var tables: [TablePack] = []
  /// The memory of all lanes, in order.
  private var sharedBuffers: [Buffer] = []
  /// What comes in and goes out for the whole batch, in order.
  private(set) var ports: [Buffer] = []
  /// The gradients of all parameters that train, one behind another.
  let gradientBuffer: Buffer
  let gradientRanges: [ParameterPath: Range<Int>]

  private var memories: [(memory: Memory, buffer: Buffer)] = []
  /// Memory that all primitives share for their own purposes.
  private let scratchpad = Buffer(floatCount: 0, isPersistent: true)
  /// Memory in which folded kernels and their gradients pass through, one at a time.
  let foldScratch: Buffer
  /// The convolutions or matrix product that the next step is.
  private var next: [Workload] = []
  /// What lies in buffers, for the table of the plan.
  private(set) var images: [ObjectIdentifier: (shape: Shape, layout: ActivationLayout)] = [:]
  private var activations: [ValueID: Activation] = [:]
  private var copies: [ValueID: [Form: Activation]] = [:]
  /// The gradients of values as far as their readers have given them.
  var gradients: [ValueID: Activation] = [:]
  var writtenGradients: Set<ParameterPath> = []
  /// What is left to do with the gradients that all parts of a batch have added to; the first lane knows it for all.
  var finishes: [Finish] = []
  /// Where the first lane has gradients of all lanes, so that nothing is left to do.
  private(set) var jointGradients: [Range<Int>] = []
  private(set) lazy var makers = program.makers
  private(set) lazy var readerCounts = program.parameterReaderCounts
  private(set) lazy var valueReaderCounts = program.readerCounts
  /// The operations whose values are at hand on the way back: all of them, or those of one segment.
  lazy var atHand = program.operations.indices
  /// Whether some convolution goes by loops of our own, for which its neighbours keep images in blocks of channels too.
  private(set) lazy var keepsBlocks = program.operations.contains {
    ($0 as? ConvolutionOperation)?.wantsBlocks(self) ?? ($0 as? InvertedResidualOperation)?.isFast(self) ?? false
  }

  init(
    program: Program, options: PlanOptions, parameters: ParameterBank, lane: LanePlace
  ) throws(EngineError) {
    self.program = program
    self.options = options
    self.parameters = parameters
    self.lane = lane
    engine = try Processor.engine
    stream = try Processor.stream(lane: lane.index)
    foldScratch = lane.leader?.foldScratch ?? Buffer(floatCount: 0, isPersistent: true)
    var ranges: [ParameterPath: Range<Int>] = [:]
    var count = 0
    var seen: Set<ParameterPath> = []
    for operation in program.operations {
      for path in operation.parameters where options.trainable.contains(path) && seen.insert(path).inserted {
        let size = parameters.shape(of: path)?.elementCount ?? 0
        ranges[path] = count..<count + size
        count += size
      }
    }
    gradientRanges = ranges
    gradientBuffer = Buffer(floatCount: count, isPersistent: true)
    buffers += [gradientBuffer, scratchpad] + (lane.leader == nil ? [foldScratch] : [])
  }

  var batch: Int { options.batchSize }

  func needsGradient(_ value: ValueID) -> Bool { program.needsGradient[value] }

  func trains(_ path: ParameterPath?) -> Bool { path.map(options.trainable.contains) ?? false }

  /// The seed of a layer's random numbers, which are the same in whatever lanes a batch is computed.
  ///
  /// - Parameter count: How many numbers the layer draws in each lane, the numbers of its first sample first.
  func seed(of name: String, count: Int) -> UInt64 {
    var stream = options.seed
    for byte in name.utf8 { stream = (stream ^ UInt64(byte)) &* 0x100_0000_01b3 }
    // The kernels add this constant to the seed for each number that they draw.
    return stream &+ UInt64(lane.index * count) &* 0x9e37_79b9_7f4a_7c15
  }
}

/// What a running plan's steps look at: it changes from one run to the next without changing the steps.
final class RunState {
  /// Which masks dropout draws.
  var step: UInt64 = 0
  /// Whether parameter gradients are added to those that are there.
  var isAccumulating = false
}

// MARK: - Memory

extension Emitter {
  /// Memory that lives while steps touch it.
  func buffer(floatCount: Int, isPersistent: Bool = false) -> Buffer {
    let buffer = Buffer(floatCount: floatCount, isPersistent: isPersistent)
    buffers.append(buffer)
    return buffer
  }

  /// Memory for a value's batch in a layout.
  func activation(_ shape: Shape, _ layout: ActivationLayout, _ type: NumberType = .f32) -> Activation {
    let layout = shape.rank == 3 ? layout : .channelsLast
    let buffer = Buffer(byteCount: layout.elementCount(of: shape, batch: batch) * type.byteCount)
    buffers.append(buffer)
    images[ObjectIdentifier(buffer)] = (shape, layout)
    return Activation(buffer: buffer, layout: layout, shape: shape, type: type)
  }

  /// This lane's part of an array that comes in or goes out; the lanes ask for them in one order.
  func port(_ shape: Shape) -> Activation {
    let byteCount = ActivationLayout.channelsLast.elementCount(of: shape, batch: batch) * 4
    let whole = lane.leader?.ports[ports.count] ?? buffer(floatCount: byteCount / 4 * lane.count, isPersistent: true)
    ports.append(whole)
    let part = Buffer(partOf: whole, offset: lane.index * byteCount, byteCount: byteCount)
    return Activation(buffer: lane.count == 1 ? whole : part, layout: .channelsLast, shape: shape)
  }

  func descriptor(_ activation: Activation) throws(EngineError) -> MemoryDescriptor {
    try activation.layout.descriptor(of: activation.shape, batch: batch, type: activation.type)
  }

  func view(_ activation: Activation) -> graft_view { activation.layout.view(of: activation.shape, batch: batch) }

  func count(_ activation: Activation) -> Int { activation.buffer.byteCount / activation.type.byteCount }

  /// oneDNN's handle for an array in a buffer.
  func memory(_ descriptor: MemoryDescriptor, _ buffer: Buffer) throws(EngineError) -> Memory {
    let memory = try Memory(descriptor, engine: engine)
    memories.append((memory, buffer))
    return memory
  }
}

// MARK: - Steps

extension Emitter {
  /// Takes note of a convolution or matrix product.
  func count(_ workload: Workload) {
    guard !isRecomputing else { return }
    workloads.append(workload)
    next.append(workload)
  }

  /// Adds a step that calls a kernel.
  func step(
    _ name: String, _ implementation: String, touching touched: [Buffer], operationCount: Int = 0,
    making dimensions: [Int]? = nil, in layout: String? = nil, _ body: @escaping () -> Void
  ) {
    for buffer in touched { buffer.touch(steps.count) }
    var facts = facts(touching: touched)
    if let dimensions { facts.dimensions = dimensions }
    if let layout { facts.layout = layout }
    if operationCount > 0 { swap(&facts.workloads, &next) }
    steps.append(
      Step(name: name, implementation: implementation, operationCount: operationCount, facts: facts, body: body))
  }

  /// Adds a step that makes gradients of the samples of all lanes, on all threads, from memory that they share.
  ///
  /// - Parameters:
  ///   - operationCount: This lane's share.
  ///   - ranges: Where the gradients are.
  func stepTogether(
    _ name: String, _ implementation: String, of ranges: [Range<Int>], operationCount: Int, making dimensions: [Int],
    in layout: String, _ body: @escaping () -> Void
  ) {
    jointGradients += ranges
    var facts = StepFacts(dimensions: dimensions, layout: layout)
    swap(&facts.workloads, &next)
    jointSteps.append(
      Step(name: name, implementation: implementation, operationCount: operationCount, facts: facts, body: body))
  }

  /// Adds a step that executes a primitive.
  func step(
    _ name: String, _ descriptor: PrimitiveDescriptor, operationCount: Int = 0,
    _ arguments: [(index: Int, layout: MemoryDescriptor, buffer: Buffer)]
  ) throws(EngineError) {
    let primitive = try Primitive(descriptor)
    var list: [(index: Int32, memory: Memory)] = []
    for argument in arguments {
      argument.buffer.touch(steps.count)
      list.append((Int32(argument.index), try memory(argument.layout, argument.buffer)))
    }
    let call = Arguments(list + (try scratchArgument(of: [descriptor])))
    let stream = stream
    var facts = facts(of: arguments)
    if operationCount > 0 { swap(&facts.workloads, &next) }
    steps.append(
      Step(
        name: name, implementation: descriptor.implementation, operationCount: operationCount, facts: facts
      ) { call.execute(primitive, on: stream) })
  }
}

extension Emitter {
  /// The memory that primitives want for their own purposes, of which only one runs at a time; none where none do.
  func scratchArgument(
    of descriptors: [PrimitiveDescriptor]
  ) throws(EngineError) -> [(index: Int32, memory: Memory)] {
    var largest: MemoryDescriptor?
    for descriptor in descriptors {
      guard let layout = try descriptor.layout(of: dnnl_query_scratchpad_md) else { continue }
      scratchpad.reserve(byteCount: layout.byteCount)
      if layout.byteCount > largest?.byteCount ?? 0 { largest = layout }
    }
    return try largest.map { largest throws(EngineError) in
      [(Int32(graft_arg_scratchpad), try memory(largest, scratchpad))]
    } ?? []
  }
}

// MARK: - Values

extension Emitter {
  /// Says where a value is.
  func set(_ value: ValueID, _ activation: Activation) {
    activations[value] = activation
    copies[value] = nil
  }

  /// Where a value is, as its maker put it there.
  func stored(_ value: ValueID) -> Activation {
    guard let activation = activations[value] else { preconditionFailure("a value is made before it is read") }
    return activation
  }

  /// A value in single precision, in the layout that its maker chose.
  func activation(_ value: ValueID) throws(EngineError) -> Activation {
    try activation(value, in: stored(value).layout)
  }

  /// A value in a certain layout and type, moved there where it is not; a second reader gets the same copy.
  func activation(
    _ value: ValueID, in layout: ActivationLayout, as type: NumberType = .f32
  ) throws(EngineError) -> Activation {
    let original = stored(value)
    let form = Form(layout: original.shape.rank == 3 ? layout : original.layout, type: type)
    if original.layout == form.layout && original.type == type { return original }
    if let copy = copies[value]?[form] { return copy }
    let copy = activation(original.shape, form.layout, type)
    try reorder(original, to: copy)
    copies[value, default: [:]][form] = copy
    return copy
  }
}

// MARK: - Parameters

extension Emitter {
  /// Adds work that is done before the next run whenever one of the parameters has changed, and before the first.
  func pack(_ paths: [ParameterPath], _ body: @escaping @EngineActor () -> Void) {
    if lane.leader == nil { packs.append(Pack(paths: paths, body: body)) }
  }

  /// Adds such work that comes after all of the other kind, and that several threads may do for several kernels at once.
  func packTable(_ paths: [ParameterPath], count: Int, _ body: @escaping () -> Void) {
    if lane.leader == nil { tables.append(TablePack(paths: paths, count: count, body: body)) }
  }

  /// Memory for what such work makes, which all lanes read.
  func packed(floatCount: Int) -> Buffer { shared(floatCount: floatCount) }

  /// Memory of all lanes, which keeps its content; they ask for it in one order.
  func shared(floatCount: Int) -> Buffer {
    let shared = lane.leader?.sharedBuffers[sharedBuffers.count] ?? buffer(floatCount: floatCount, isPersistent: true)
    sharedBuffers.append(shared)
    return shared
  }

  /// The master copy of a parameter as a buffer.
  func master(_ path: ParameterPath) -> Buffer {
    let values = parameters.values(at: path)
    guard let address = values.baseAddress else { preconditionFailure("\(path) is empty") }
    return Buffer(external: UnsafeMutableRawPointer(address), floatCount: values.count)
  }

  /// A reorder that runs as part of a pack, outside the steps.
  func packReorder(
    _ from: MemoryDescriptor, _ source: Buffer, to: MemoryDescriptor, _ target: Buffer
  ) throws(EngineError) -> @EngineActor () -> Void {
    guard lane.leader == nil else { return {} }
    // Outside of the lanes all threads are free for it.
    let threadCount = EngineThreads.use(0)
    EngineThreads.use(max(threadCount, lane.count))
    defer { EngineThreads.use(threadCount) }
    let descriptor = try reorderDescriptor(from, to)
    let primitive = try Primitive(descriptor)
    let list = [
      (index: Int32(graft_arg_source), memory: try memory(from, source)),
      (index: Int32(graft_arg_destination), memory: try memory(to, target)),
    ]
    let call = Arguments(list + (try scratchArgument(of: [descriptor])))
    return { [stream] in call.execute(primitive, on: stream) }
  }
}

// MARK: - Laying out

extension Emitter {
  /// Where every buffer would lie.
  var layout: Arena.Layout { Arena.Layout(of: buffers, sharing: !options.without.contains(.arena)) }

  /// Gives every buffer its place, and every primitive's argument its address.
  func layOut(_ layout: Arena.Layout) throws(EngineError) -> Arena {
    let arena = try Arena(layout)
    for (memory, buffer) in memories { memory.place(at: buffer.address) }
    return arena
  }
}
