#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How large blocks of memory are asked for.
///
/// Every new page costs a fault, which takes longer than to fill the page. Where the system has pages of two megabytes,
/// blocks that hold some are asked to use them.
package enum MemoryPages {
  private static let largePageByteCount = 1 << 21

  /// The alignment of a block: enough for vectors, or for large pages where the block holds one.
  package static func alignment(for byteCount: Int) -> Int {
    #if os(Linux)
      byteCount >= largePageByteCount ? largePageByteCount : 64
    #else
      64
    #endif
  }

  /// Asks for large pages in the part of a new block that can have them.
  package static func prepare(_ bytes: UnsafeMutableRawBufferPointer) {
    #if os(Linux)
      let whole = bytes.count & ~(largePageByteCount - 1)
      // The advice may be refused; then the pages are small ones.
      if whole > 0 { madvise(bytes.baseAddress, whole, MADV_HUGEPAGE) }
    #endif
  }
}
