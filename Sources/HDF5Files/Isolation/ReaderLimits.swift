/// What a process that reads a file may use.
package struct ReaderLimits: Hashable, Sendable {
  /// Bytes of address space, its own program included.
  package var memoryByteCount: Int
  /// Bytes of the memory that is shared.
  package var sharedByteCount: Int
  /// Seconds of processor time.
  package var processorSeconds: Int
  /// Seconds until an answer has to be there, however little the processor had to do.
  package var waitingSeconds: Int

  /// What honest files of this size need, several times over.
  ///
  /// The address space holds the program with its libraries, and an archive's member beside its shared arrays. Packed
  /// weights inflate by a tenth or so; a file that stands for more than sixteen times its size is none of them.
  package init(fileByteCount: Int) {
    let megabyte = 1 << 20
    sharedByteCount = 64 * megabyte + 16 * fileByteCount
    memoryByteCount = 192 * megabyte + 2 * sharedByteCount
    processorSeconds = 1 + fileByteCount / (32 * megabyte)
    waitingSeconds = 20 + fileByteCount / (4 * megabyte)
  }
}
