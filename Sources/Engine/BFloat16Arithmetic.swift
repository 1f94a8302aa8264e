import CKernels

/// How a plan computes in bfloat16 on this processor.
public enum BFloat16Arithmetic: String, Sendable {
  /// With instructions for it.
  case native
  /// In vector registers of single precision, turned from and to bfloat16 on the way; slower than single precision.
  case converted
  /// In single precision throughout, rounded to bfloat16 wherever an array is kept; slower than single precision.
  case rounded

  /// What this processor has.
  public static var ofThisProcessor: BFloat16Arithmetic { Processor.bfloat16 }

  /// Whether oneDNN's primitives take arrays of bfloat16.
  var isPrimitive: Bool { self != .rounded }
}

extension UnsafeBufferPointer<Float> {
  /// Writes the numbers as bfloat16, rounded to the nearest.
  @EngineActor package func narrow(to target: UnsafeMutableRawPointer) {
    if let baseAddress { graft_narrow(target, baseAddress, count) }
  }
}

extension UnsafeMutableBufferPointer<Float> {
  /// Fills itself with numbers that are bfloat16.
  @EngineActor package func widen(from source: UnsafeRawPointer) {
    if let baseAddress { graft_widen(baseAddress, source, count) }
  }
}
