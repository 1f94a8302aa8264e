import Foundation

/// Keeps other processes out of a run's folder as long as it lives; the system opens it however its owner ends.
package final class RunLock: Sendable {
  private let descriptor: Int32

  /// Locks a folder; nil where there is none.
  ///
  /// - Throws: ``TrainingError`` with code `runInUse`.
  package init?(_ path: String) throws(TrainingError) {
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor < 0 { return nil }
    // Where a file system knows no locks there is nothing to wait for.
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      throw TrainingError(.runInUse, subject: path, detail: "another process is training here")
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}
