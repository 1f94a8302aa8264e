import CKernels

/// How a plan computes in bfloat16 on this processor.
public enum BFloat16Arithmetic: String, Sendable {
  /// By primitives that take it, which is fast where the processor has instructions for it.
  case native
  /// In single precision throughout, rounded to bfloat16 wherever an array is kept; slower than single precision.
  case rounded

  /// What this processor has.
  ///
  /// AVX-512 without those instructions would do for the primitives, which turn every number to and from bfloat16 on its
  /// way: a third to a half as fast as rounding what single precision gives.
  public static var ofThisProcessor: BFloat16Arithmetic { Processor.hasBFloat16 ? .native : .rounded }

  /// Everything that can be done here, slow or not.
  package static var possible: [BFloat16Arithmetic] {
    Processor.hasBFloat16Primitives ? [.native, .rounded] : [.rounded]
  }

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
