import CDNNL
import CKernels

/// What the numbers of an array in a plan are.
enum NumberType: Hashable {
  /// Single precision.
  case f32
  /// bfloat16, the upper half of a single-precision number.
  case bf16

  /// What one number takes.
  var byteCount: Int { self == .f32 ? 4 : 2 }

  /// The type for oneDNN.
  var oneDNN: dnnl_data_type_t { self == .f32 ? dnnl_f32 : dnnl_bf16 }

  /// The type for the kernels.
  var kernel: graft_type { self == .f32 ? graft_f32 : graft_bf16 }
}
