#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The eight bytes that an HDF5 file begins with, or that follow a user block of 512, 1024, 2048 … bytes.
enum FileSignature {
  private static let bytes: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]

  /// Whether the contents of a file carry the signature.
  static func isPresent(in contents: [UInt8]) -> Bool {
    starts(within: contents.count).contains { contents[$0..<$0 + bytes.count].elementsEqual(bytes) }
  }

  /// Looks at a file before libhdf5 does, and returns its size.
  ///
  /// - Throws: ``HDF5Error`` with `missingFile`, `notAFile`, `noPermission` or `notHDF5`.
  static func check(_ path: String) throws(HDF5Error) -> Int {
    // Without O_NONBLOCK, opening a named pipe would wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0 {
      switch errno {
      case ENOENT, ENOTDIR: throw HDF5Error(.missingFile, file: path, detail: "does not exist")
      case EACCES, EPERM: throw HDF5Error(.noPermission, file: path, detail: "may not be read by this user")
      default: throw HDF5Error(.missingFile, file: path, detail: "cannot be opened: \(systemReason(errno))")
      }
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw HDF5Error(.missingFile, file: path, detail: "cannot be examined: \(systemReason(errno))")
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw HDF5Error(.notAFile, file: path, detail: "is a folder, not an HDF5 file")
    default: throw HDF5Error(.notAFile, file: path, detail: "is no ordinary file")
    }
    let size = Int(status.st_size)
    for start in starts(within: size) {
      var found = [UInt8](repeating: 0, count: bytes.count)
      if pread(descriptor, &found, found.count, off_t(start)) == found.count && found == bytes { return size }
    }
    if size == 0 { throw HDF5Error(.notHDF5, file: path, detail: "is empty, not an HDF5 file") }
    throw missing(in: path)
  }

  /// The error for a file without the signature.
  static func missing(in file: String) -> HDF5Error {
    HDF5Error(.notHDF5, file: file, detail: "is not an HDF5 file: it lacks the signature that those begin with")
  }

  private static func starts(within size: Int) -> [Int] {
    var starts: [Int] = []
    var start = 0
    while start <= size - bytes.count {
      starts.append(start)
      start = start == 0 ? 512 : start * 2
    }
    return starts
  }
}

/// What the system says about an error number.
func systemReason(_ number: Int32) -> String { String(cString: strerror(number)) }
