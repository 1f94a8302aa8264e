#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The kinds of files that Keras writes.
public enum KerasFormat: String, Hashable, Sendable {
  /// A legacy HDF5 file with a network and its weights.
  case wholeModelH5 = "h5"
  /// A legacy HDF5 file with weights alone.
  case weightsOnlyH5 = "legacy-weights-h5"
  /// A zip archive with a network and its weights.
  case keras
  /// A Keras 3 HDF5 file with weights alone, or the index of several.
  case weightsH5 = "weights.h5"
}

/// What the first bytes of a file say about it.
enum FileKind {
  case hdf5
  case zip
  case json

  /// Looks at a file's first bytes; its name does not count.
  ///
  /// - Throws: ``WeightError`` with `missingFile`, `notAFile`, `noPermission` or `unknownFormat`.
  init(of path: String) throws(WeightError) {
    // Without O_NONBLOCK, opening a named pipe would wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      switch errno {
      case ENOENT, ENOTDIR: throw WeightError(.missingFile, file: path, detail: "does not exist")
      case EACCES, EPERM: throw WeightError(.noPermission, file: path, detail: "may not be read by this user")
      default:
        throw WeightError(.missingFile, file: path, detail: "cannot be opened: \(String(cString: strerror(errno)))")
      }
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw WeightError(
        .notAFile, file: path, detail: isFolder ? "is a folder, not a file of Keras" : "is no ordinary file")
    }
    let size = Int(status.st_size)
    guard size > 0 else { throw WeightError(.unknownFormat, file: path, detail: "is empty") }
    func holds(_ signature: [UInt8], at start: Int) -> Bool {
      var found = [UInt8](repeating: 0, count: signature.count)
      return pread(descriptor, &found, found.count, off_t(start)) == found.count && found == signature
    }
    if holds([0x50, 0x4b, 0x03, 0x04], at: 0) {
      self = .zip
      return
    }
    var start = 0
    while start < size {
      if holds([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a], at: start) {
        self = .hdf5
        return
      }
      start = start == 0 ? 512 : start * 2
    }
    if holds([0x7b], at: 0) {
      self = .json
      return
    }
    throw WeightError(
      .unknownFormat, file: path,
      detail: "is no file of Keras: it begins neither like an HDF5 file nor like a zip archive")
  }
}
