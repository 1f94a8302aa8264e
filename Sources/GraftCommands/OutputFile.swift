import Foundation

/// A file that a command writes at the end of its work; that there is a place for it is known before.
struct OutputFile {
  /// The file as its user named it.
  let path: String

  /// Checks that the file can be written.
  ///
  /// - Parameter isForced: Whether a file that is there may be replaced.
  /// - Throws: `CommandFailure` where something is there that nobody asked to replace, or nothing can be written there.
  init(_ path: String, replacing isForced: Bool) throws {
    self.path = path
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
      guard !isFolder.boolValue else { throw CommandFailure("\(path): expected a file to write, found a folder") }
      guard isForced else {
        throw CommandFailure("\(path): is there already; name another file, or add --force")
      }
    }
    guard let probe = fopen(beside, "w") else { throw unwritable(errno) }
    fclose(probe)
    unlink(beside)
  }

  /// Writes the file, whole or not at all.
  ///
  /// - Throws: `CommandFailure` with what the system says, as for a full disk.
  func write(_ text: String) throws {
    guard let file = fopen(beside, "w") else { throw unwritable(errno) }
    var failure = fputs(text, file) < 0 ? errno : 0
    if fclose(file) != 0, failure == 0 { failure = errno }
    if failure == 0, rename(beside, path) != 0 { failure = errno }
    guard failure != 0 else { return }
    unlink(beside)
    throw unwritable(failure)
  }

  /// Where the file stands until it is whole.
  private var beside: String { "\(path).\(getpid()).part" }

  private func unwritable(_ number: Int32) -> CommandFailure {
    CommandFailure("\(path): cannot be written: \(String(cString: strerror(number)))")
  }
}
