import CDNNL

/// The processor as oneDNN's engine, with a stream for each thread that calls it.
@EngineActor enum Processor {
  /// Whether the processor has instructions for bfloat16.
  nonisolated static let hasBFloat16 = has(dnnl_cpu_isa_avx512_core_bf16)

  /// Whether oneDNN has primitives for bfloat16 here, with such instructions or without.
  nonisolated static let hasBFloat16Primitives = has(dnnl_cpu_isa_avx512_core)

  /// The best set of instructions that oneDNN uses here, by its name there.
  nonisolated static let instructions: String = {
    let sets = [
      (dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"), (dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"),
      (dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"), (dnnl_cpu_isa_avx512_core, "avx512_core"),
      (dnnl_cpu_isa_avx2_vnni, "avx2_vnni"), (dnnl_cpu_isa_avx2, "avx2"), (dnnl_cpu_isa_avx, "avx"),
      (dnnl_cpu_isa_sse41, "sse41"),
    ]
    return sets.first { has($0.0) }?.1 ?? "no known instructions"
  }()

  /// Whether oneDNN has fast primitives for everything in blocks of channels; where it is not known, each is asked.
  nonisolated static let isFastInBlocks = has(dnnl_cpu_isa_avx2)

  /// The channels of a block of images in oneDNN's fastest convolutions.
  nonisolated static let blockWidth = has(dnnl_cpu_isa_avx512_core) ? 16 : 8

  private nonisolated static func has(_ wanted: dnnl_cpu_isa_t) -> Bool {
    // One bit an instruction set; each value holds the bits of those that it builds upon.
    dnnl_get_effective_cpu_isa().rawValue & wanted.rawValue == wanted.rawValue
  }

  /// The engine of this process, made at first use.
  static var engine: dnnl_engine_t { get throws(EngineError) { try madeEngine.get() } }

  private static let madeEngine = Result { () throws(EngineError) in
    var engine: dnnl_engine_t?
    try check(dnnl_engine_create(&engine, dnnl_cpu, 0), "processor")
    return try unwrapped(engine)
  }

  /// Those that have been asked for, the engine's thread's first; they last as long as the process.
  private static var streams: [dnnl_stream_t] = []

  /// The stream of one of the threads that compute at the same time.
  static func stream(lane: Int = 0) throws(EngineError) -> dnnl_stream_t {
    while streams.count <= lane {
      var stream: dnnl_stream_t?
      try check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags.rawValue), "processor")
      streams.append(try unwrapped(stream))
    }
    return streams[lane]
  }
}

/// What a primitive will do and with which layouts, before it is made.
final class PrimitiveDescriptor {
  let handle: dnnl_primitive_desc_t
  /// The kernel that oneDNN chose, such as `jit:avx2`.
  let implementation: String

  /// Takes over what one of the shim's functions fills in.
  init(_ subject: String, _ create: (inout dnnl_primitive_desc_t?) throws(EngineError) -> dnnl_status_t)
    throws(EngineError)
  {
    var handle: dnnl_primitive_desc_t?
    try check(try create(&handle), subject)
    self.handle = try unwrapped(handle)
    implementation = String(cString: graft_pd_implementation(self.handle))
  }

  deinit { dnnl_primitive_desc_destroy(handle) }

  /// Whether this is oneDNN's plain loop, a hundred times slower than its kernels.
  var isReference: Bool { implementation.hasPrefix("ref") }

  /// The layout of one argument; nil where the primitive has no such argument.
  func layout(of query: dnnl_query_t) throws(EngineError) -> MemoryDescriptor? {
    guard let descriptor = graft_pd_md(handle, query, 0), graft_md_size(descriptor) > 0 else { return nil }
    return try MemoryDescriptor(copying: descriptor)
  }
}

/// A compiled operation of oneDNN.
final class Primitive {
  let handle: dnnl_primitive_t

  init(_ descriptor: PrimitiveDescriptor) throws(EngineError) {
    var handle: dnnl_primitive_t?
    try check(dnnl_primitive_create(&handle, descriptor.handle), "primitive \(descriptor.implementation)")
    self.handle = try unwrapped(handle)
  }

  deinit { dnnl_primitive_destroy(handle) }
}

/// An array at a place in memory that is set once the plan's memory is laid out.
final class Memory {
  let handle: dnnl_memory_t

  init(_ descriptor: MemoryDescriptor, engine: dnnl_engine_t) throws(EngineError) {
    var handle: dnnl_memory_t?
    try check(graft_memory_create(&handle, descriptor.handle, engine), "memory")
    self.handle = try unwrapped(handle)
  }

  deinit { dnnl_memory_destroy(handle) }

  func place(at address: UnsafeMutableRawPointer) { dnnl_memory_set_data_handle(handle, address) }
}

/// What a primitive does besides its main work: it takes its scratch memory from the plan, and may add a residual and
/// apply an activation before it stores.
final class Attributes {
  let handle: dnnl_primitive_attr_t

  /// - Parameters:
  ///   - adding: whether the result is added to what its place holds.
  ///   - residual: the layout of an array that is added to the result.
  ///   - eltwise: a function applied after that.
  init(adding: Bool = false, residual: MemoryDescriptor? = nil, eltwise: Eltwise? = nil) throws(EngineError) {
    var handle: dnnl_primitive_attr_t?
    try check(dnnl_primitive_attr_create(&handle), "attributes")
    self.handle = try unwrapped(handle)
    try check(dnnl_primitive_attr_set_scratchpad_mode(self.handle, dnnl_scratchpad_mode_user), "attributes")
    guard adding || residual != nil || eltwise != nil else { return }
    var operations: dnnl_post_ops_t?
    try check(dnnl_post_ops_create(&operations), "attributes")
    defer { dnnl_post_ops_destroy(operations) }
    if adding { try check(graft_post_ops_sum(operations), "attributes") }
    if let residual { try check(graft_post_ops_add(operations, residual.handle), "attributes") }
    if let eltwise {
      try check(graft_post_ops_eltwise(operations, eltwise.algorithm, eltwise.alpha, eltwise.beta), "attributes")
    }
    try check(dnnl_primitive_attr_set_post_ops(self.handle, operations), "attributes")
  }

  deinit { dnnl_primitive_attr_destroy(handle) }
}

/// One of oneDNN's functions of one number, with its two parameters.
struct Eltwise {
  var algorithm: dnnl_alg_kind_t
  var alpha: Float = 0
  var beta: Float = 0
}
