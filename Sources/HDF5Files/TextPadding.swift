/// How a string fills the bytes that its type gives it.
enum TextPadding: Hashable {
  /// The string ends at the first zero.
  case nullTerminated
  /// Zeros at the end are not part of the string.
  case nulls
  /// Spaces at the end are not part of the string.
  case spaces

  /// The strings that lie one after the other in `bytes`, `byteCount` each; what is no UTF-8 becomes U+FFFD.
  func strings(in bytes: UnsafeRawBufferPointer, byteCount: Int) -> [String] {
    stride(from: 0, to: bytes.count, by: max(byteCount, 1)).map { start in
      string(in: bytes[start..<min(start + byteCount, bytes.count)])
    }
  }

  private func string(in field: Slice<UnsafeRawBufferPointer>) -> String {
    switch self {
    case .nullTerminated: String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    case .nulls: String(decoding: field.dropLast(while: 0), as: UTF8.self)
    case .spaces: String(decoding: field.dropLast(while: 0x20), as: UTF8.self)
    }
  }
}

extension Slice<UnsafeRawBufferPointer> {
  fileprivate func dropLast(while byte: UInt8) -> Self {
    self[startIndex..<(lastIndex { $0 != byte }.map { $0 + 1 } ?? startIndex)]
  }
}
