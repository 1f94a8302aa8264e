import CZip
import HDF5Files

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A zip archive that is open for reading.
///
/// Members are read into memory only; none is ever unpacked to a path that the archive names.
final class ZipArchive {
  private let handle: OpaquePointer
  /// The file is open as long as the archive.
  private let file: OpenedFile
  private var name: String { file.name }

  /// More members than this are refused.
  static let maximumMemberCount = 10_000
  /// Members that claim more bytes than this may be packed a hundredfold at most: weights hardly shrink.
  static let suspiciousByteCount: UInt64 = 1 << 26

  /// Reads an archive.
  ///
  /// - Throws: ``WeightError`` with `damaged` or `tooLarge`.
  init(reading file: OpenedFile) throws(WeightError) {
    var code: Int32 = 0
    guard let handle = czip_open_for_reading(file.descriptor, zip_int64_t(file.byteCount), &code) else {
      throw WeightError(.damaged, file: file.name, detail: "is a damaged zip archive: \(Self.words(for: code))")
    }
    self.handle = handle
    self.file = file
    let count = zip_get_num_entries(handle, 0)
    guard count <= Self.maximumMemberCount else {
      throw WeightError(
        .tooLarge, file: file.name,
        detail: "has \(count) members, more than the \(Self.maximumMemberCount) that are read")
    }
    var names: Set<String> = []
    for member in memberNames {
      let parts = member.split(separator: "/", omittingEmptySubsequences: false)
      guard !member.hasPrefix("/"), !parts.contains("..") else {
        throw WeightError(
          .damaged, file: file.name, object: String(member.prefix(200)),
          detail: "is a member that would lie outside the archive, which Keras never writes")
      }
      // Programs differ in which of the two they take, so that one could be checked and the other one used.
      guard names.insert(member).inserted else {
        throw WeightError(
          .damaged, file: file.name, object: String(member.prefix(200)), detail: "stands twice in the archive")
      }
    }
  }

  deinit { zip_discard(handle) }

  /// The names of all members.
  var memberNames: [String] {
    (0..<max(0, zip_get_num_entries(handle, 0))).compactMap { index in
      zip_get_name(handle, zip_uint64_t(index), 0).map { String(cString: $0) }
    }
  }

  /// The bytes of a small member, nil if there is none of this name.
  ///
  /// - Throws: ``WeightError`` with `damaged` or `tooLarge`.
  func bytes(of member: String, maximumByteCount: UInt64) throws(WeightError) -> [UInt8]? {
    try contents(of: member, maximumByteCount: maximumByteCount).map { Array($0.buffer) }
  }

  /// The contents of a member, nil if there is none of this name.
  ///
  /// - Throws: ``WeightError`` with `damaged` or `tooLarge`.
  func contents(of member: String, maximumByteCount: UInt64) throws(WeightError) -> FileBytes? {
    let index = zip_name_locate(handle, member, 0)
    guard index >= 0 else { return nil }
    func failure(_ code: WeightError.Code, _ detail: String) -> WeightError {
      WeightError(code, file: name, object: member, detail: detail)
    }
    var status = zip_stat_t()
    guard zip_stat_index(handle, zip_uint64_t(index), 0, &status) == 0, czip_knows_sizes(&status) != 0 else {
      throw failure(.damaged, "has no size")
    }
    guard status.size <= maximumByteCount else {
      throw failure(.tooLarge, "declares \(status.size) bytes, more than the \(maximumByteCount) that are read")
    }
    guard status.comp_size <= file.byteCount else {
      throw failure(.damaged, "declares \(status.comp_size) stored bytes, more than the whole file has")
    }
    guard status.size <= Self.suspiciousByteCount || status.size / 100 <= status.comp_size else {
      throw failure(
        .tooLarge, "declares \(status.size) bytes, but only \(status.comp_size) are stored: it is no honest member")
    }
    guard let stream = zip_fopen_index(handle, zip_uint64_t(index), 0) else {
      throw failure(.damaged, "cannot be unpacked: \(reason)")
    }
    defer { zip_fclose(stream) }
    let size = Int(status.size)
    let bytes = FileBytes(count: size) { memory in
      var count = 0
      while count < size, let start = memory.baseAddress {
        let read = zip_fread(stream, start + count, zip_uint64_t(min(size - count, 1 << 30)))
        if read <= 0 { break }
        count += Int(read)
      }
      return count
    }
    // One more byte is asked for, because libzip compares the checksum at the end of the member.
    var further: UInt8 = 0
    guard bytes.buffer.count == size, zip_fread(stream, &further, 1) == 0 else {
      throw failure(.damaged, "does not unpack to the \(size) bytes that it declares, or its checksum is wrong")
    }
    return bytes
  }

  private var reason: String { String(cString: zip_strerror(handle)) }

  fileprivate static func words(for code: Int32) -> String {
    var text = [CChar](repeating: 0, count: 256)
    czip_describe(code, &text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension ZipArchive {
  /// Writes an archive of unpacked members, whole or not at all; equal members make equal bytes.
  ///
  /// - Throws: ``WeightError`` with `writeFailed`, `notAFile` or `noPermission`.
  static func write(_ members: [(name: String, bytes: [UInt8])], to path: String) throws(WeightError) {
    let target = try Target(path)
    let beside = target.beside
    var isDone = false
    defer { if !isDone { unlink(beside) } }
    var code: Int32 = 0
    guard let archive = czip_create(beside, &code) else {
      throw target.failure("cannot be written: \(words(for: code))")
    }
    // libzip reads the bytes when it closes the archive, so they have to stay where they are until then.
    let buffers = members.map { member in
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, member.bytes.count), alignment: 1)
      buffer.copyBytes(from: member.bytes)
      return buffer
    }
    defer { for buffer in buffers { buffer.deallocate() } }
    for (member, buffer) in zip(members, buffers) {
      guard czip_add_stored(archive, member.name, buffer.baseAddress, zip_uint64_t(member.bytes.count)) == 0 else {
        let reason = String(cString: zip_strerror(archive))
        zip_discard(archive)
        throw target.failure("cannot be written: \(reason)")
      }
    }
    guard zip_close(archive) == 0 else {
      let reason = String(cString: zip_strerror(archive))
      zip_discard(archive)
      throw target.failure("cannot be written: \(reason)")
    }
    try target.finish()
    isDone = true
  }

  /// The place of a file that is written beside it first.
  private struct Target {
    let path: String
    /// The same with links followed, so that a link is not replaced by the file.
    let resolved: String
    let beside: String

    init(_ path: String) throws(WeightError) {
      self.path = path
      if let real = realpath(path, nil) {
        resolved = String(cString: real)
        free(real)
      } else {
        resolved = path
      }
      beside = "\(resolved).\(getpid()).part"
      var status = stat()
      if stat(resolved, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
        let what = status.st_mode & S_IFMT == S_IFDIR ? "is a folder" : "is no ordinary file"
        throw WeightError(.notAFile, file: path, detail: "\(what) and is not replaced")
      }
      // libzip opens its file only when it closes the archive; a trial tells at once whether it may.
      let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else { throw failure(number: errno) }
      close(descriptor)
      unlink(beside)
    }

    func failure(_ detail: String) -> WeightError { WeightError(.writeFailed, file: path, detail: detail) }

    private func failure(number: Int32) -> WeightError {
      let code: WeightError.Code = [EACCES, EPERM, EROFS].contains(number) ? .noPermission : .writeFailed
      return WeightError(code, file: path, detail: "cannot be written: \(String(cString: strerror(number)))")
    }

    /// Syncs the file that lies beside and moves it to its place.
    func finish() throws(WeightError) {
      let descriptor = open(beside, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw failure(number: errno) }
      let isSynced = fsync(descriptor) == 0
      let number = errno
      close(descriptor)
      guard isSynced else { throw failure(number: number) }
      // libzip makes its files readable to their owner alone.
      let mask = umask(0)
      umask(mask)
      chmod(beside, 0o666 & ~mask)
      guard rename(beside, resolved) == 0 else { throw failure(number: errno) }
    }
  }
}
