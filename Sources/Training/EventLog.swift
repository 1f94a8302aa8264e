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
  private var writtenCount: off_t = 0

  /// Begins an empty log.
  ///
  /// - Throws: ``TrainingError`` with code `outputUnwritable`.
  init(_ path: String) throws(TrainingError) {
    self.path = path
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw unwritable(path, errno) }
  }

  deinit {
    try? flush()
    close(descriptor)
  }

  /// Adds a line; progress inside of a phase's preparation gets none.
  ///
  /// - Throws: ``TrainingError`` with code `outputUnwritable`.
  func append(_ event: TrainingEvent) throws {
    if case .featuresCached = event { return }
    lines.append(try encoder.encode(event))
    lines.append(UInt8(ascii: "\n"))
    if case .step = event { return }
    try flush()
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
