import CDNNL

/// How an array lies in memory, as oneDNN describes it: extents, element type, strides or blocks.
final class MemoryDescriptor {
  let handle: OpaquePointer

  /// Takes over a descriptor.
  private init(owning handle: OpaquePointer) { self.handle = handle }

  /// A copy of a descriptor that belongs to a primitive descriptor.
  convenience init(copying other: OpaquePointer) throws(EngineError) {
    var handle: OpaquePointer?
    try check(graft_md_clone(&handle, other), "memory descriptor")
    self.init(owning: try unwrapped(handle))
  }

  /// Numbers with the given strides.
  convenience init(_ dimensions: [Int], strides: [Int], _ type: NumberType = .f32) throws(EngineError) {
    var handle: OpaquePointer?
    let status = graft_md_create_strided(
      &handle, Int32(dimensions.count), dimensions.map(Int64.init), type.oneDNN, strides.map(Int64.init))
    try check(status, "memory descriptor")
    self.init(owning: try unwrapped(handle))
  }

  /// Numbers in a layout that has a name in oneDNN.
  convenience init(_ dimensions: [Int], _ tag: dnnl_format_tag_t, _ type: NumberType = .f32) throws(EngineError) {
    var handle: OpaquePointer?
    let status = graft_md_create_tagged(
      &handle, Int32(dimensions.count), dimensions.map(Int64.init), type.oneDNN, tag)
    try check(status, "memory descriptor")
    self.init(owning: try unwrapped(handle))
  }

  /// Numbers, outermost axis first, without gaps.
  convenience init(dense dimensions: [Int], _ type: NumberType = .f32) throws(EngineError) {
    var strides = Array(repeating: 1, count: dimensions.count)
    for axis in dimensions.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * dimensions[axis + 1] }
    try self.init(dimensions, strides: strides, type)
  }

  deinit { graft_md_destroy(handle) }

  /// How many bytes the array takes, padding included.
  var byteCount: Int { graft_md_size(handle) }

  static func == (left: MemoryDescriptor, right: MemoryDescriptor) -> Bool {
    graft_md_equal(left.handle, right.handle) != 0
  }
}

/// Throws where oneDNN did not do what was asked.
func check(_ status: dnnl_status_t, _ subject: String) throws(EngineError) {
  guard status == dnnl_success else {
    let reason =
      switch status {
      case dnnl_out_of_memory: "there is not enough memory"
      case dnnl_invalid_arguments: "oneDNN refuses these shapes or options"
      case dnnl_unimplemented: "oneDNN has no implementation for these shapes or options"
      default: "oneDNN failed with status \(status.rawValue)"
      }
    throw EngineError(.primitive, subject: subject, detail: reason)
  }
}

func unwrapped<Value>(_ value: Value?) throws(EngineError) -> Value {
  guard let value else { throw EngineError(.primitive, subject: "oneDNN", detail: "gave nothing back") }
  return value
}
