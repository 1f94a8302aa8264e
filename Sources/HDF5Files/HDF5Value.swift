import Tensors

/// What an attribute holds.
package enum HDF5Value: Hashable, Sendable {
  /// One string.
  case string(String)
  /// A list of strings.
  case strings([String])
  /// A number, or an array of numbers of any shape; the shape of a single one is `[]`.
  case numbers(Tensor)
}

extension HDF5Value {
  /// The only string, nil if this is something else.
  package var string: String? {
    switch self {
    case .string(let string): string
    case .strings(let strings) where strings.count == 1: strings[0]
    default: nil
    }
  }

  /// The strings, nil if this is something else.
  ///
  /// An array without elements is also an empty list of strings: numpy has no other word for that.
  package var strings: [String]? {
    switch self {
    case .string(let string): [string]
    case .strings(let strings): strings
    case .numbers(let tensor): tensor.elementCount == 0 ? [] : nil
    }
  }

  /// The only number as a whole one, nil if this is something else.
  package var integer: Int? {
    guard case .numbers(let tensor) = self, tensor.elementCount == 1 else { return nil }
    if tensor.elementType == .f64 || tensor.elementType == .f32 {
      return number.flatMap { Int(exactly: $0) }
    }
    if tensor.elementType == .u64 {
      return tensor.withUnsafeBytes { Int(exactly: $0.loadUnaligned(as: UInt64.self)) }
    }
    return tensor.converted(to: .i64).withUnsafeBytes { Int(exactly: $0.loadUnaligned(as: Int64.self)) }
  }

  /// The only number, nil if this is something else.
  package var number: Double? {
    guard case .numbers(let tensor) = self, tensor.elementCount == 1 else { return nil }
    return tensor.converted(to: .f64).withUnsafeBytes { $0.loadUnaligned(as: Double.self) }
  }

  /// A whole number.
  package static func integer(_ value: Int) -> HDF5Value {
    .numbers(
      Tensor(shape: [], elementType: .i64) { bytes in
        bytes.storeBytes(of: Int64(value), as: Int64.self)
      })
  }

  /// A real number.
  package static func number(_ value: Double) -> HDF5Value {
    .numbers(
      Tensor(shape: [], elementType: .f64) { bytes in
        bytes.storeBytes(of: value, as: Double.self)
      })
  }
}
