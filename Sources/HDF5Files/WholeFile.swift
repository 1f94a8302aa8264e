#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file that appears at its path whole or not at all.
struct WholeFile {
  /// The path as the user named it.
  private let path: String
  /// The same with links followed, so that a link is not replaced by the file.
  private let target: String

  /// Looks at the place where the file will be, before work is spent on its contents.
  ///
  /// - Throws: ``HDF5Error`` with `notAFile` or `writeFailed`.
  init(_ path: String) throws(HDF5Error) {
    self.path = path
    if let resolved = realpath(path, nil) {
      target = String(cString: resolved)
      free(resolved)
    } else {
      target = path
    }
    var status = stat()
    if stat(target, &status) == 0 {
      switch status.st_mode & S_IFMT {
      case S_IFREG: break
      case S_IFDIR: throw HDF5Error(.notAFile, file: path, detail: "is a folder and cannot be written as a file")
      default: throw HDF5Error(.notAFile, file: path, detail: "is no ordinary file and is not replaced")
      }
    }
    var folderStatus = stat()
    if stat(folder, &folderStatus) != 0 || folderStatus.st_mode & S_IFMT != S_IFDIR {
      throw HDF5Error(.writeFailed, file: path, detail: "cannot be written: the folder \(folder) does not exist")
    }
  }

  /// Writes the file beside its place, syncs it and moves it there.
  ///
  /// - Throws: ``HDF5Error`` with `noPermission` or `writeFailed`; nothing is left behind then.
  func write(_ bytes: UnsafeRawBufferPointer) throws(HDF5Error) {
    let (descriptor, beside) = try create()
    var isDone = false
    defer { if !isDone { unlink(beside) } }
    do throws(HDF5Error) {
      try write(bytes, to: descriptor)
      guard fsync(descriptor) == 0 else { throw failure(errno) }
    } catch {
      close(descriptor)
      throw error
    }
    guard close(descriptor) == 0, rename(beside, target) == 0 else { throw failure(errno) }
    isDone = true
    syncFolder()
  }

  private var folder: String {
    guard let slash = target.lastIndex(of: "/") else { return "." }
    return slash == target.startIndex ? "/" : String(target[..<slash])
  }

  private func create() throws(HDF5Error) -> (descriptor: Int32, path: String) {
    for attempt in 0..<1000 {
      let beside = "\(target).\(getpid())-\(attempt).part"
      let descriptor = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return (descriptor, beside) }
      if errno != EEXIST { throw failure(errno) }
    }
    throw failure(EEXIST)
  }

  private func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(HDF5Error) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // Some systems refuse more than two gigabytes at once.
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      #if canImport(Darwin)
        let count = Darwin.write(descriptor, part.baseAddress, part.count)
      #elseif canImport(Glibc)
        let count = Glibc.write(descriptor, part.baseAddress, part.count)
      #elseif canImport(Musl)
        let count = Musl.write(descriptor, part.baseAddress, part.count)
      #endif
      if count < 0 {
        if errno == EINTR { continue }
        throw failure(errno)
      }
      rest = rest.dropFirst(count)
    }
  }

  /// Makes the new name last; where a folder cannot be synced, the file is whole all the same.
  private func syncFolder() {
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { return }
    fsync(descriptor)
    close(descriptor)
  }

  private func failure(_ number: Int32) -> HDF5Error {
    switch number {
    case EACCES, EPERM, EROFS:
      HDF5Error(.noPermission, file: path, detail: "cannot be written: \(systemReason(number))")
    default: HDF5Error(.writeFailed, file: path, detail: "cannot be written: \(systemReason(number))")
    }
  }
}
