/// What one element of a tensor is: its width in memory and how its bits are read.
public enum ElementType: String, Hashable, Sendable, CaseIterable {
  /// IEEE 754 half precision, two bytes.
  case f16
  /// The upper half of a single-precision number, two bytes.
  case bf16
  /// IEEE 754 single precision, four bytes.
  case f32
  /// IEEE 754 double precision, eight bytes.
  case f64
  /// A signed byte.
  case i8
  /// An unsigned byte.
  case u8
  /// A signed integer of two bytes.
  case i16
  /// An unsigned integer of two bytes.
  case u16
  /// A signed integer of four bytes.
  case i32
  /// An unsigned integer of four bytes.
  case u32
  /// A signed integer of eight bytes.
  case i64
  /// An unsigned integer of eight bytes.
  case u64

  /// How many bytes one element takes.
  public var byteCount: Int {
    switch self {
    case .i8, .u8: 1
    case .f16, .bf16, .i16, .u16: 2
    case .f32, .i32, .u32: 4
    case .f64, .i64, .u64: 8
    }
  }

  /// Whether elements are floating-point numbers.
  public var isFloatingPoint: Bool {
    switch self {
    case .f16, .bf16, .f32, .f64: true
    default: false
    }
  }
}
