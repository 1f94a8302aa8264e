import CSandbox

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The program that reads files of strangers in a process of its own.
package struct ReaderProgram: Hashable, Sendable {
  /// The executable.
  package var path: String
  /// What it is called with.
  package var arguments: [String]

  /// A program that is known to be a reader.
  package init(path: String, arguments: [String] = []) {
    self.path = path
    self.arguments = arguments
  }

  /// The argument that asks a program which is no reader otherwise to be one.
  package static let request = "__reader"
  /// The file name of the program that does nothing else.
  package static let fileName = "graft-reader"

  /// The program to use: that of the environment variable `GRAFT_READER`, the one beside this program, or this program
  /// itself if it serves.
  ///
  /// - Throws: ``HDF5Error`` with `readerMissing`.
  package static func found(for file: String) throws(HDF5Error) -> ReaderProgram {
    if let given = getenv("GRAFT_READER"), given.pointee != 0 {
      return ReaderProgram(path: String(cString: given), arguments: [])
    }
    guard let own = ownPath else {
      throw HDF5Error(
        .readerMissing, file: file,
        detail: "cannot be read apart from this process, whose own place is unknown; set GRAFT_READER to \(fileName)")
    }
    let folder = own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "."
    let beside = "\(folder)/\(fileName)"
    if access(beside, X_OK) == 0 { return ReaderProgram(path: beside, arguments: []) }
    if csandbox_is_server() { return ReaderProgram(path: own, arguments: [request]) }
    throw HDF5Error(
      .readerMissing, file: file,
      detail: "cannot be read apart from this process: \(beside) is not there, and GRAFT_READER names no other")
  }

  /// The executable of this process.
  private static var ownPath: String? {
    #if os(Linux)
      var path = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlink("/proc/self/exe", &path, path.count - 1)
      guard count > 0 else { return nil }
      return String(decoding: path.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    #else
      return realpath(CommandLine.arguments.first ?? "", nil).map { path in
        defer { free(path) }
        return String(cString: path)
      }
    #endif
  }
}
