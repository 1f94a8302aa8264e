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
    /// Everything that the run needs to go on from where it was when this was written.
    case checkpoint = "checkpoint.h5"
    /// The checkpoint before that one, for when a disk loses it.
    case previousCheckpoint = "checkpoint.previous.h5"
    /// The finished model.
    case model = "model.keras"
    /// What came out, in numbers.
    case result = "result.json"
  }

  /// The folder as its user named it.
  public let path: String
  /// Called between any two changes of the run and its folder, for tests that end the process there.
  package var instant: @Sendable (String) -> Void = { _ in }

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
      let found = ((try? manager.contentsOfDirectory(atPath: path)) ?? []).filter { !Self.isLeftover($0) }
      guard found.isEmpty || isForced else {
        let what = found.contains(File.configuration.rawValue) ? "holds a run already" : "is not empty"
        throw TrainingError(.outputExists, subject: path, detail: "\(what); name another folder, or add --force")
      }
      try checkWritable()
      removeLeftovers()
      // What a run began with goes last: whatever remains after a crash is a run that goes on, if not as far.
      for file in File.allCases.reversed() where unlink(self[file]) != 0 && errno != ENOENT {
        throw unwritable(self[file], errno)
      }
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

  /// The folder of a run that is there already.
  ///
  /// - Throws: ``TrainingError`` with code `noRun`.
  public init(resuming path: String) throws(TrainingError) {
    self.path = path
    let manager = FileManager.default
    var isFolder: ObjCBool = false
    let isThere = manager.fileExists(atPath: path, isDirectory: &isFolder)
    func noRun(_ detail: String) -> TrainingError { TrainingError(.noRun, subject: path, detail: detail) }
    guard isThere else { throw noRun("expected the folder of a run, found nothing") }
    guard isFolder.boolValue else { throw noRun("expected the folder of a run, found a file") }
    guard !holds(.configuration) else { return }
    let found = ((try? manager.contentsOfDirectory(atPath: path)) ?? []).filter { !Self.isLeftover($0) }
    throw noRun(
      found.isEmpty
        ? "holds no run yet: the one here ended before it had begun, so start it again in the same way"
        : "holds no run: there is no \(File.configuration.rawValue) in it")
  }

  /// Whether one of the run's files is there.
  func holds(_ file: File) -> Bool { access(self[file], F_OK) == 0 }

  /// The path of one of the run's files.
  public subscript(file: File) -> String { "\(path)/\(file.rawValue)" }

  /// Writes one of the run's files, whole or not at all.
  ///
  /// - Throws: ``TrainingError`` with code `outputUnwritable`, as for a full disk.
  package func write(_ bytes: some ContiguousBytes, to file: File) throws(TrainingError) {
    let failure = bytes.withUnsafeBytes { bytes in
      Result { () throws(TrainingError) in try write([bytes], to: file) }
    }
    try failure.get()
  }

  /// Writes bytes one behind the other into one of the run's files, whole or not at all.
  ///
  /// - Parameter previous: The name under which the file that is there now is kept.
  /// - Throws: ``TrainingError`` with code `outputUnwritable`, as for a full disk.
  package func write(
    _ parts: [UnsafeRawBufferPointer], to file: File, keeping previous: File? = nil
  ) throws(TrainingError) {
    let target = self[file]
    let beside = "\(target).\(getpid()).part"
    let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw unwritable(target, errno) }
    instant("\(file.rawValue) made")
    var failure: Int32 = 0
    for part in parts where failure == 0 {
      let half = part.count / 2
      failure = UnsafeRawBufferPointer(rebasing: part[..<half]).writeAll(to: descriptor)
      instant("\(file.rawValue) written in part")
      if failure == 0 { failure = UnsafeRawBufferPointer(rebasing: part[half...]).writeAll(to: descriptor) }
    }
    if failure == 0, fsync(descriptor) != 0 { failure = errno }
    if close(descriptor) != 0, failure == 0 { failure = errno }
    instant("\(file.rawValue) written")
    if failure == 0, let previous { keep(target, as: self[previous]) }
    instant("\(file.rawValue) kept")
    if failure == 0, rename(beside, target) != 0 { failure = errno }
    instant("\(file.rawValue) in place")
    if failure != 0 {
      unlink(beside)
      throw unwritable(target, failure)
    }
    synchronize()
  }

  /// Gives a file a second name, so that it is there under one of them whatever happens next.
  private func keep(_ path: String, as other: String) {
    let beside = "\(other).\(getpid()).part"
    unlink(beside)
    if link(path, beside) == 0 {
      rename(beside, other)
      // Two names of one file stay as they are when they are renamed into each other.
      unlink(beside)
    } else {
      // A file system without hard links: for a moment there is only the one before.
      rename(path, other)
    }
  }

  /// Makes new names last; where a folder cannot be synced, the files are whole all the same.
  private func synchronize() {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { return }
    fsync(descriptor)
    close(descriptor)
  }

  /// Removes what a process left that was killed while it wrote; none may be at work.
  package func removeLeftovers() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] where Self.isLeftover(name) {
      unlink("\(path)/\(name)")
    }
  }

  /// Whether a file is none that anybody put there: half of one of the run's, or features that were about to vanish.
  private static func isLeftover(_ name: String) -> Bool {
    if name.hasPrefix(FeatureStore.fileNamePrefix) { return true }
    guard let stem = (File.allCases.map(\.rawValue) + [""]).first(where: { name.hasPrefix("\($0).") }) else {
      return false
    }
    // A process and perhaps its attempt; libzip puts six letters of its own behind everything.
    let parts = name.dropFirst(stem.count + 1).split(separator: ".", omittingEmptySubsequences: false)
    return (2...3).contains(parts.count) && parts[1] == "part" && parts[0].contains { $0.isNumber }
      && parts[0].allSatisfy { $0.isNumber || $0 == "-" }
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
