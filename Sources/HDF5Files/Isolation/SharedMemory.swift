import CSandbox
import Tensors

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Memory that a reader fills and the process that asked takes over, unmapped with its last owner.
///
/// Unchecked: the reader's writes end with the reader, before anybody here looks; from then on each part belongs to one
/// tensor.
package final class SharedMemory: @unchecked Sendable {
  /// All bytes.
  package let bytes: UnsafeMutableRawBufferPointer

  /// Parts begin at multiples of this, so that vector code may use them.
  package static let alignment = 64
  /// Parts of this size and more begin at a page, which goes back to the system with its part.
  static let pageByteCount = 1 << 14

  /// Maps memory of a known size; nil on failure, and for no bytes at all.
  init?(descriptor: Int32, byteCount: Int) {
    guard byteCount > 0, let start = csandbox_map(descriptor, byteCount) else { return nil }
    bytes = UnsafeMutableRawBufferPointer(start: start, count: byteCount)
  }

  deinit { csandbox_unmap(bytes.baseAddress, bytes.count) }

  /// Where a part may begin that has to lie behind `end`.
  package static func start(after end: Int, byteCount: Int) -> Int {
    let unit = byteCount >= pageByteCount ? pageByteCount : alignment
    return (end + unit - 1) / unit * unit
  }

  /// A part as a tensor, without a copy.
  package func tensor(at offset: Int, shape: Shape, elementType: ElementType) -> Tensor {
    let byteCount = shape.elementCount * elementType.byteCount
    let part = UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<offset + byteCount])
    return Tensor(
      shape: shape, elementType: elementType, bytes: part, owner: SharedPart(of: self, bytes: part))
  }
}

/// A part of shared memory; its whole pages go back to the system with its last owner.
///
/// Unchecked: the bytes are touched here only when nobody else has them any more.
private final class SharedPart: @unchecked Sendable {
  private let memory: SharedMemory
  private let bytes: UnsafeMutableRawBufferPointer

  init(of memory: SharedMemory, bytes: UnsafeMutableRawBufferPointer) {
    self.memory = memory
    self.bytes = bytes
  }

  deinit {
    let page = SharedMemory.pageByteCount
    let whole = bytes.count / page * page
    if whole > 0, let start = bytes.baseAddress, Int(bitPattern: start) % page == 0 {
      csandbox_discard(start, whole)
    }
  }
}
