import Foundation

/// Reads a whole file of bounded size.
///
/// - Throws: ``DatasetError`` with the given code and one clause: it does not exist, is a folder or a device, is larger
///   than `limit`, or cannot be read.
func fileBytes(_ path: String, limit: Int, code: DatasetError.Code) throws(DatasetError) -> [UInt8] {
  // The status comes first: opening a named pipe would wait for someone to write to it.
  guard let status = FileStatus(path) else {
    throw DatasetError(code, path, "the file cannot be opened: \(String(cString: strerror(errno)))")
  }
  guard status.kind == .file else {
    throw DatasetError(code, path, "expected a file, found a \(status.kind == .folder ? "folder" : "device or pipe")")
  }
  guard status.byteCount <= limit else {
    throw DatasetError(code, path, "expected at most \(limit) bytes, found \(status.byteCount)")
  }
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else {
    throw DatasetError(code, path, "the file cannot be opened: \(String(cString: strerror(errno)))")
  }
  defer { close(descriptor) }
  var failure: Int32 = 0
  let bytes = [UInt8](unsafeUninitializedCapacity: status.byteCount) { buffer, count in
    while count < buffer.count, let base = buffer.baseAddress {
      let got = read(descriptor, base + count, buffer.count - count)
      if got < 0, errno == EINTR { continue }
      if got < 0 { failure = errno }
      if got <= 0 { break }
      count += got
    }
  }
  if failure != 0 {
    throw DatasetError(code, path, "the file cannot be read: \(String(cString: strerror(failure)))")
  }
  return bytes
}
