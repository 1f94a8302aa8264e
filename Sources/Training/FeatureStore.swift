import Engine
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

  /// What a row is made of.
  struct Form: Hashable, Sendable {
    /// How many numbers it has.
    var rowLength: Int
    /// Whether all of them are among those that bfloat16 has, which are kept as such.
    var isRounded: Bool

    /// What a row takes.
    var byteCount: Int { rowLength * (isRounded ? 2 : 4) }
  }

  /// What a row is made of.
  let form: Form
  /// Where the rows are.
  let place: Place

  private let bytes: UnsafeMutableRawBufferPointer

  /// Room for so many rows.
  ///
  /// - Parameters:
  ///   - memoryBudget: More bytes than this go into a file.
  ///   - folder: Where the file goes; nil for memory or nothing.
  /// - Returns: nil where there is neither memory nor disk enough.
  init?(rowCount: Int, _ form: Form, memoryBudget: Int, folder: String?) {
    let (count, overflow) = rowCount.multipliedReportingOverflow(by: form.byteCount)
    if overflow { return nil }
    self.form = form
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

  /// The bytes of memory that the rows take; 0 where they are in a file.
  var memoryByteCount: Int { place == .memory ? bytes.count : 0 }

  /// Keeps one row.
  @EngineActor func write(_ numbers: UnsafeBufferPointer<Float>, row: Int) {
    guard let place = self[row].baseAddress, let source = numbers.baseAddress else { return }
    if form.isRounded { numbers.narrow(to: place) } else { place.copyMemory(from: source, byteCount: form.byteCount) }
  }

  /// Gives one row back.
  @EngineActor func read(row: Int, into numbers: UnsafeMutableBufferPointer<Float>) {
    guard let place = self[row].baseAddress, let target = numbers.baseAddress else { return }
    if form.isRounded {
      numbers.widen(from: place)
    } else {
      UnsafeMutableRawPointer(target).copyMemory(from: place, byteCount: form.byteCount)
    }
  }

  /// Lets somebody write one row of single precision in place.
  func fill(row: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> Void) throws {
    precondition(!form.isRounded, "what is written in place is not rounded")
    try body(self[row].assumingMemoryBound(to: Float.self))
  }

  /// Keeps one row that is in the store's form already.
  func put(_ source: UnsafeRawBufferPointer, row: Int) { self[row].copyMemory(from: source) }

  /// One row in the store's form.
  func bytes(ofRow row: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(self[row]) }

  private subscript(row: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: bytes[row * form.byteCount..<(row + 1) * form.byteCount])
  }

  /// What the name begins with that a file has for a moment.
  static let fileNamePrefix = ".features-"

  private static func map(byteCount: Int, in folder: String) -> UnsafeMutableRawBufferPointer? {
    let path = "\(folder)/\(fileNamePrefix)\(getpid())"
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
