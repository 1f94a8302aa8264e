import Foundation

/// Rows of numbers, one for each picture: in memory up to a budget, else in a file that vanishes with its owner.
///
/// The file is unlinked as soon as it is mapped, so that not even a crash leaves it behind, and its blocks are claimed
/// beforehand: a page of a mapped file for which the disk has no room would end the process.
///
/// Unchecked: rows are written by one owner before anybody reads them.
final class FeatureStore: @unchecked Sendable {
  /// Where the rows are.
  enum Place: Hashable, Sendable {
    case memory
    case file
  }

  /// How many numbers a row has.
  let rowLength: Int
  /// Where the rows are.
  let place: Place

  private let bytes: UnsafeMutableRawBufferPointer

  /// Room for so many rows.
  ///
  /// - Parameters:
  ///   - memoryBudget: More bytes than this go into a file.
  ///   - folder: Where the file goes; nil for memory or nothing.
  /// - Returns: nil where there is neither memory nor disk enough.
  init?(rowCount: Int, rowLength: Int, memoryBudget: Int, folder: String?) {
    let (count, overflow) = rowCount.multipliedReportingOverflow(by: rowLength * MemoryLayout<Float>.stride)
    if overflow { return nil }
    self.rowLength = rowLength
    if count <= memoryBudget {
      place = .memory
      bytes = .allocate(byteCount: max(count, 1), alignment: 64)
    } else if let folder, let mapped = FeatureStore.map(byteCount: count, in: folder) {
      place = .file
      bytes = mapped
    } else {
      return nil
    }
  }

  deinit {
    switch place {
    case .memory: bytes.deallocate()
    case .file: munmap(bytes.baseAddress, bytes.count)
    }
  }

  /// One row.
  subscript(row: Int) -> UnsafeMutableBufferPointer<Float> {
    let start = row * rowLength * MemoryLayout<Float>.stride
    let part = UnsafeMutableRawBufferPointer(
      rebasing: bytes[start..<start + rowLength * MemoryLayout<Float>.stride])
    return part.assumingMemoryBound(to: Float.self)
  }

  private static func map(byteCount: Int, in folder: String) -> UnsafeMutableRawBufferPointer? {
    let path = "\(folder)/.features-\(getpid())"
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    unlink(path)
    guard claim(byteCount, of: descriptor),
      let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), start != MAP_FAILED
    else { return nil }
    return UnsafeMutableRawBufferPointer(start: start, count: byteCount)
  }

  private static func claim(_ byteCount: Int, of descriptor: Int32) -> Bool {
    #if canImport(Darwin)
      var request = fstore_t(
        fst_flags: UInt32(F_ALLOCATEALL), fst_posmode: F_PEOFPOSMODE, fst_offset: 0, fst_length: off_t(byteCount),
        fst_bytesalloc: 0)
      return fcntl(descriptor, F_PREALLOCATE, &request) == 0 && ftruncate(descriptor, off_t(byteCount)) == 0
    #else
      return posix_fallocate(descriptor, 0, off_t(byteCount)) == 0
    #endif
  }
}
