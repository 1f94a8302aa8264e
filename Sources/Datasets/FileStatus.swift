import Foundation

/// What the file system says about a path, links followed.
struct FileStatus {
  enum Kind {
    case file
    case folder
    case other
  }

  /// A file or folder whatever the name it is reached by.
  struct Identity: Hashable {
    let device: UInt64
    let node: UInt64
  }

  let kind: Kind
  let byteCount: Int
  let identity: Identity

  /// The status of a path; nil where nothing is there, a link leads nowhere, or the way is closed.
  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      default: .other
      }
    byteCount = Int(status.st_size)
    identity = Identity(device: UInt64(status.st_dev), node: UInt64(status.st_ino))
  }
}
