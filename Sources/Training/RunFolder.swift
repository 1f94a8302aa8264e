import Foundation

/// The folder that holds everything about one run.
///
/// Each file in it is whole or not there: it is written beside its place, synced and renamed.
public struct RunFolder: Sendable {
  /// A file of a run.
  public enum File: String, Sendable, CaseIterable {
    /// The whole resolved configuration.
    case configuration = "run.yaml"
    /// A line of JSON for each step, epoch and phase.
    case events = "events.jsonl"
    /// Weights and optimizer at the end of the last finished phase.
    case checkpoint = "checkpoint.h5"
    /// The finished model.
    case model = "model.keras"
    /// What came out, in numbers.
    case result = "result.json"
  }

  /// The folder as its user named it.
  public let path: String

  /// Makes the folder, or clears an older run out of it where that is asked for.
  ///
  /// Only a run's own files are removed; others stay.
  ///
  /// - Throws: ``TrainingError`` with code `outputExists` where something is there that nobody asked to replace, and
  ///   `outputUnwritable` where the folder cannot be made or written to.
  public init(at path: String, replacing isForced: Bool = false) throws(TrainingError) {
    self.path = path
    let manager = FileManager.default
    var isFolder: ObjCBool = false
    if manager.fileExists(atPath: path, isDirectory: &isFolder) {
      guard isFolder.boolValue else {
        throw TrainingError(.outputExists, subject: path, detail: "expected a folder for the run, found a file")
      }
      let found = (try? manager.contentsOfDirectory(atPath: path)) ?? []
      guard found.isEmpty || isForced else {
        let what = found.contains(File.configuration.rawValue) ? "holds a run already" : "is not empty"
        throw TrainingError(.outputExists, subject: path, detail: "\(what); name another folder, or add --force")
      }
      try checkWritable()
      for file in File.allCases where unlink(self[file]) != 0 && errno != ENOENT { throw unwritable(self[file], errno) }
    } else {
      do {
        try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
      } catch {
        throw TrainingError(
          .outputUnwritable, subject: path, detail: "the folder cannot be made: \(systemReason(error))")
      }
      try checkWritable()
    }
  }

  /// The path of one of the run's files.
  public subscript(file: File) -> String { "\(path)/\(file.rawValue)" }

  /// Writes one of the run's files, whole or not at all.
  ///
  /// - Throws: ``TrainingError`` with code `outputUnwritable`, as for a full disk.
  package func write(_ bytes: some ContiguousBytes, to file: File) throws(TrainingError) {
    let target = self[file]
    let beside = "\(target).\(getpid()).part"
    let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw unwritable(target, errno) }
    var failure = bytes.withUnsafeBytes { $0.writeAll(to: descriptor) }
    if failure == 0, fsync(descriptor) != 0 { failure = errno }
    if close(descriptor) != 0, failure == 0 { failure = errno }
    if failure == 0, rename(beside, target) != 0 { failure = errno }
    if failure != 0 {
      unlink(beside)
      throw unwritable(target, failure)
    }
  }

  private func checkWritable() throws(TrainingError) {
    let probe = "\(path)/.\(getpid()).part"
    let descriptor = open(probe, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw unwritable(path, errno) }
    close(descriptor)
    unlink(probe)
  }
}

/// What the system says about a failure of Foundation.
func systemReason(_ error: any Error) -> String {
  if (error as? CocoaError)?.code == .fileNoSuchFile { return String(cString: strerror(ENOENT)) }
  let error = error as NSError
  let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError ?? error
  return underlying.domain == NSPOSIXErrorDomain
    ? String(cString: strerror(Int32(underlying.code))) : error.localizedDescription
}

/// The error for a file that the system does not let us write.
func unwritable(_ path: String, _ number: Int32) -> TrainingError {
  TrainingError(.outputUnwritable, subject: path, detail: "cannot be written: \(String(cString: strerror(number)))")
}

extension UnsafeRawBufferPointer {
  /// Writes all bytes.
  ///
  /// - Returns: The system's error number, or 0.
  func writeAll(to descriptor: Int32) -> Int32 {
    var rest = self[...]
    while !rest.isEmpty {
      let count = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        return errno
      }
      rest = rest.dropFirst(count)
    }
    return 0
  }
}
