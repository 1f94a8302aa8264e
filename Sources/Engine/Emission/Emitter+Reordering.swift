import CDNNL
import CKernels

/// Steps that bring an array into another layout or type.
extension Emitter {
  /// Copies an array into another layout or type.
  func reorder(_ source: Activation, to target: Activation) throws(EngineError) {
    if source.type != target.type && source.layout == target.layout { return convert(source, to: target) }
    if !options.bfloat16.isPrimitive && (source.type == .bf16 || target.type == .bf16) {
      // Only the kernels know bfloat16 here, so the layout turns in single precision.
      let from = source.type == .f32 ? source : activation(source.shape, source.layout)
      let to = target.type == .f32 ? target : activation(target.shape, target.layout)
      if source.type != .f32 { convert(source, to: from) }
      try reorder(from, to: to)
      if target.type != .f32 { convert(to, to: target) }
      return
    }
    let from = try descriptor(source)
    let to = try descriptor(target)
    try reorder("reorder", from, source.buffer, to: to, target.buffer)
  }

  /// Turns an array into another type.
  func convert(_ source: Activation, to target: Activation) {
    let (x, y, n) = (source.buffer, target.buffer, count(source))
    switch (source.type, target.type) {
    case (.f32, .bf16): step("convert", "narrow", touching: [x, y]) { graft_narrow(y.address, x.floats, n) }
    case (.bf16, .f32): step("convert", "widen", touching: [x, y]) { graft_widen(y.floats, x.address, n) }
    default: preconditionFailure("an array is turned into another type than it has")
    }
  }

  func reorder(
    _ name: String, _ from: MemoryDescriptor, _ source: Buffer, to: MemoryDescriptor, _ target: Buffer
  ) throws(EngineError) {
    try step(
      name, reorderDescriptor(from, to),
      [(graft_arg_source, from, source), (graft_arg_destination, to, target)])
  }

  func reorderDescriptor(
    _ from: MemoryDescriptor, _ to: MemoryDescriptor, adding: Bool = false
  ) throws(EngineError) -> PrimitiveDescriptor {
    let attributes = try Attributes(adding: adding)
    return try PrimitiveDescriptor("reorder") { [engine] handle in
      graft_reorder(&handle, engine, from.handle, to.handle, attributes.handle)
    }
  }
}
