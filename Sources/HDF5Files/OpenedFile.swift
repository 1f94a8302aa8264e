#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// An ordinary file that is open for reading, closed with its last owner.
///
/// Whoever reads it needs no path any more, so that nobody can put another file in its place, and a process that may
/// open nothing can still read it.
package final class OpenedFile: Sendable {
  /// The file as its user named it.
  package let name: String
  /// The number by which the system knows the open file.
  package let descriptor: Int32
  /// The size of the file when it was opened.
  package let byteCount: Int

  /// Opens a file.
  ///
  /// - Throws: ``HDF5Error`` with `missingFile`, `notAFile` or `noPermission`.
  package convenience init(_ path: String) throws(HDF5Error) {
    // Without O_NONBLOCK, opening a named pipe would wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      switch errno {
      case ENOENT, ENOTDIR: throw HDF5Error(.missingFile, file: path, detail: "does not exist")
      case EACCES, EPERM: throw HDF5Error(.noPermission, file: path, detail: "may not be read by this user")
      default: throw HDF5Error(.missingFile, file: path, detail: "cannot be opened: \(systemReason(errno))")
      }
    }
    try self.init(adopting: descriptor, name: path)
  }

  /// Takes over a descriptor that is open already.
  ///
  /// - Throws: ``HDF5Error`` with `missingFile` or `notAFile`.
  package init(adopting descriptor: Int32, name: String) throws(HDF5Error) {
    self.descriptor = descriptor
    self.name = name
    var status = stat()
    let isKnown = fstat(descriptor, &status) == 0
    byteCount = isKnown ? Int(status.st_size) : 0
    guard isKnown else {
      throw HDF5Error(.missingFile, file: name, detail: "cannot be examined: \(systemReason(errno))")
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw HDF5Error(.notAFile, file: name, detail: "is a folder, not a file")
    default: throw HDF5Error(.notAFile, file: name, detail: "is no ordinary file")
    }
  }

  deinit { close(descriptor) }

  /// Some bytes of the file; fewer at its end.
  package func bytes(at offset: Int, count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = max(0, pread(descriptor, buffer.baseAddress, count, off_t(offset)))
    }
  }
}

/// The bytes of a file in memory.
///
/// Unchecked: the bytes are written before the object is handed out, and never again.
package final class FileBytes: @unchecked Sendable {
  /// All bytes.
  package let buffer: UnsafeRawBufferPointer

  /// Takes memory for so many bytes, which `fill` writes; it returns how many it wrote.
  package init(count: Int, filling fill: (UnsafeMutableRawBufferPointer) -> Int) {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
    let written = fill(memory)
    buffer = UnsafeRawBufferPointer(start: memory.baseAddress, count: min(written, count))
  }

  deinit { buffer.deallocate() }
}

/// What the system says about an error number.
func systemReason(_ number: Int32) -> String { String(cString: strerror(number)) }
