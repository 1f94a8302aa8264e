import CHDF5
import Tensors

/// How the elements of a dataset or attribute are stored, as far as this reader understands it.
enum StoredType: Hashable {
  /// Numbers, whose bytes are in the other order than this machine's if `isSwapped`.
  case numbers(ElementType, isSwapped: Bool)
  /// Strings that all take the same number of bytes.
  case text(byteCount: Int, padding: TextPadding)
  /// Strings of any length, which lie elsewhere in the file.
  case variableText
  /// Two bytes without meaning: bfloat16, if an attribute says so.
  case twoOpaqueBytes
  /// Anything else, in words.
  case unknown(String)

  /// Finds out what a type of the library is.
  init(_ type: hid_t) {
    let size = H5Tget_size(type)
    switch H5Tget_class(type) {
    case H5T_INTEGER: self = Self.integer(type, size)
    case H5T_FLOAT: self = Self.float(type, size)
    case H5T_STRING: self = Self.string(type, size)
    case H5T_ENUM:
      guard let base = HDF5Handle(H5Tget_super(type)) else {
        self = .unknown("an enumeration")
        return
      }
      // Booleans are stored as an enumeration of signed bytes; zero and one mean the same in both kinds of byte.
      let numbers = Self.integer(base.id, size)
      self = if case .numbers(.i8, _) = numbers { .numbers(.u8, isSwapped: false) } else { numbers }
    case H5T_OPAQUE: self = size == 2 ? .twoOpaqueBytes : .unknown("\(size) opaque bytes each")
    case H5T_COMPOUND: self = .unknown("a compound type")
    case H5T_REFERENCE: self = .unknown("references")
    case H5T_VLEN: self = .unknown("sequences of varying length")
    case H5T_ARRAY: self = .unknown("arrays")
    case H5T_BITFIELD: self = .unknown("a bit field")
    case H5T_TIME: self = .unknown("times")
    default: self = .unknown("an unknown type")
    }
  }

  private static func integer(_ type: hid_t, _ size: Int) -> StoredType {
    let isSigned = H5Tget_sign(type) == H5T_SGN_2
    let elementType: ElementType? =
      switch size {
      case 1: isSigned ? .i8 : .u8
      case 2: isSigned ? .i16 : .u16
      case 4: isSigned ? .i32 : .u32
      case 8: isSigned ? .i64 : .u64
      default: nil
      }
    guard let elementType, H5Tget_precision(type) == size * 8, H5Tget_offset(type) == 0,
      let isSwapped = isSwapped(type, size)
    else { return .unknown("integers of \(H5Tget_precision(type)) bits in \(size) bytes") }
    return .numbers(elementType, isSwapped: isSwapped)
  }

  private static func float(_ type: hid_t, _ size: Int) -> StoredType {
    var sign = 0
    var exponent = 0
    var exponentSize = 0
    var mantissa = 0
    var mantissaSize = 0
    guard H5Tget_fields(type, &sign, &exponent, &exponentSize, &mantissa, &mantissaSize) >= 0,
      mantissa == 0, exponent == mantissaSize, sign == exponent + exponentSize, sign == size * 8 - 1,
      H5Tget_ebias(type) == (1 << (exponentSize - 1)) - 1, H5Tget_norm(type) == H5T_NORM_IMPLIED,
      let isSwapped = isSwapped(type, size)
    else { return .unknown("floating-point numbers that are not IEEE 754") }
    switch (exponentSize, mantissaSize) {
    case (5, 10): return .numbers(.f16, isSwapped: isSwapped)
    case (8, 7): return .numbers(.bf16, isSwapped: isSwapped)
    case (8, 23): return .numbers(.f32, isSwapped: isSwapped)
    case (11, 52): return .numbers(.f64, isSwapped: isSwapped)
    default: return .unknown("floating-point numbers of \(size * 8) bits")
    }
  }

  private static func string(_ type: hid_t, _ size: Int) -> StoredType {
    if H5Tis_variable_str(type) > 0 { return .variableText }
    switch H5Tget_strpad(type) {
    case H5T_STR_NULLTERM: return .text(byteCount: size, padding: .nullTerminated)
    case H5T_STR_NULLPAD: return .text(byteCount: size, padding: .nulls)
    case H5T_STR_SPACEPAD: return .text(byteCount: size, padding: .spaces)
    default: return .unknown("strings with an unknown padding")
    }
  }

  /// Whether the bytes of a number stand in the other order; nil for orders that no machine has had for decades.
  private static func isSwapped(_ type: hid_t, _ size: Int) -> Bool? {
    if size == 1 { return false }
    switch H5Tget_order(type) {
    case H5T_ORDER_LE: return 1.littleEndian != 1
    case H5T_ORDER_BE: return 1.bigEndian != 1
    default: return nil
    }
  }
}

extension ElementType {
  /// The type of the library that stores these elements in a file, lowest byte first.
  func makeFileType() -> HDF5Handle? { HDF5Handle(makeType(order: H5T_ORDER_LE)) }

  /// The type of the library for these elements in memory.
  func makeMemoryType() -> HDF5Handle? {
    HDF5Handle(makeType(order: 1.littleEndian == 1 ? H5T_ORDER_LE : H5T_ORDER_BE))
  }

  private func makeType(order: H5T_order_t) -> hid_t {
    switch self {
    case .bf16: H5Tcreate(H5T_OPAQUE, 2)
    case .f16, .f32, .f64: chdf5_make_float(byteCount, order)
    case .i8, .i16, .i32, .i64: chdf5_make_integer(byteCount, 1, order)
    case .u8, .u16, .u32, .u64: chdf5_make_integer(byteCount, 0, order)
    }
  }
}

/// Turns numbers of 2, 4 or 8 bytes around where they lie.
func swapByteOrder(_ bytes: UnsafeMutableRawBufferPointer, elementByteCount: Int) {
  func swap<Word: FixedWidthInteger>(_: Word.Type) {
    let words = bytes.bindMemory(to: Word.self)
    for index in words.indices { words[index] = words[index].byteSwapped }
  }
  switch elementByteCount {
  case 2: swap(UInt16.self)
  case 4: swap(UInt32.self)
  case 8: swap(UInt64.self)
  default: break
  }
}
