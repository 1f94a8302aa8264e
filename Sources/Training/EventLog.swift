import Foundation

/// `events.jsonl`: a line for each step, epoch and phase, appended as the run goes on.
///
/// Lines are gathered and written after each epoch, so that a step does not wait for the disk. Where the disk is full,
/// the file keeps the whole lines that it has.
final class EventLog {
  private let path: String
  private let descriptor: Int32
  private let encoder = JSONEncoder()
  private var lines = Data()
  private var writtenCount: off_t

  /// Begins an empty log, or goes on with one.
  ///
  /// What a run wrote behind its checkpoint is cut away: it does it again.
  ///
  /// - Parameter keptCount: How many bytes of the file that is there stay.
  /// - Throws: ``TrainingError`` with code `outputUnwritable`.
  init(_ path: String, keeping keptCount: Int = 0) throws(TrainingError) {
    self.path = path
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw unwritable(path, errno) }
    // Of a log that somebody shortened, what is left stays.
    writtenCount = min(off_t(keptCount), lseek(descriptor, 0, SEEK_END))
    guard writtenCount >= 0, ftruncate(descriptor, writtenCount) == 0 else { throw unwritable(path, errno) }
  }

  deinit {
    try? flush()
    close(descriptor)
  }

  /// Adds a line; what only a person who watches wants to know gets none.
  ///
  /// - Throws: ``TrainingError`` with code `outputUnwritable`.
  func append(_ event: TrainingEvent) throws {
    guard event.isLogged else { return }
    lines.append(try encoder.encode(event))
    lines.append(UInt8(ascii: "\n"))
    if case .step = event { return }
    try flush()
  }

  /// Writes everything to the disk.
  ///
  /// - Returns: How many bytes the file has now.
  /// - Throws: ``TrainingError`` with code `outputUnwritable`.
  func synchronize() throws(TrainingError) -> Int {
    try flush()
    guard fsync(descriptor) == 0 else { throw unwritable(path, errno) }
    return Int(writtenCount)
  }

  private func flush() throws(TrainingError) {
    let failure = lines.withUnsafeBytes { $0.writeAll(to: descriptor) }
    if failure != 0 {
      ftruncate(descriptor, writtenCount)
      throw unwritable(path, failure)
    }
    writtenCount += off_t(lines.count)
    lines.removeAll(keepingCapacity: true)
  }
}
