import CHDF5

/// An HDF5 file that is open for reading.
///
/// Whatever the file holds, reading it opens no other file, runs no foreign code, and allocates no more than the bytes
/// of the file can stand for.
package final class HDF5File: Sendable {
  /// The file as its user named it; errors begin with it.
  package let name: String
  /// The group that holds everything.
  package let root: HDF5Group

  /// Opens a file.
  ///
  /// - Throws: ``HDF5Error`` with `missingFile`, `notAFile`, `noPermission`, `notHDF5`, `truncated` or `damaged`.
  package convenience init(readingFrom path: String) throws(HDF5Error) {
    try self.init(reading: OpenedFile(path))
  }

  /// Reads a file that is open already, and nothing else.
  ///
  /// - Throws: ``HDF5Error`` with `notHDF5`, `truncated` or `damaged`.
  package convenience init(reading file: OpenedFile) throws(HDF5Error) {
    try FileSignature.check(file)
    try self.init(
      source: chdf5_source(file), owner: file, name: file.name, byteCount: file.byteCount)
  }

  /// Reads the bytes of a file that lie in memory, such as a member of an archive; they are not copied.
  ///
  /// - Parameter name: What errors call the file.
  /// - Throws: ``HDF5Error`` with `notHDF5`, `truncated` or `damaged`.
  package convenience init(reading bytes: FileBytes, name: String) throws(HDF5Error) {
    guard FileSignature.isPresent(in: bytes.buffer) else { throw FileSignature.missing(in: name) }
    try self.init(source: chdf5_source(bytes), owner: bytes, name: name, byteCount: bytes.buffer.count)
  }

  /// Reads a copy of bytes in memory.
  ///
  /// - Throws: ``HDF5Error`` with `notHDF5`, `truncated` or `damaged`.
  package convenience init(reading bytes: [UInt8], name: String) throws(HDF5Error) {
    let copy = FileBytes(count: bytes.count) { memory in
      memory.copyBytes(from: bytes)
      return bytes.count
    }
    try self.init(reading: copy, name: name)
  }

  private convenience init(
    source: chdf5_source, owner: AnyObject, name: String, byteCount: Int
  ) throws(HDF5Error) {
    HDF5Library.enter()
    defer { HDF5Library.leave() }
    // The list outlives the opening: to close it would wipe out the reason of a failure.
    guard let list = HDF5Handle(withUnsafePointer(to: source) { chdf5_make_source_list($0) }) else {
      throw HDF5Error(.damaged, file: name, detail: "cannot be opened: \(HDF5Library.reason)")
    }
    try self.init(
      handle: withExtendedLifetime(owner) { chdf5_open_source(list.id) }, name: name, byteCount: byteCount)
    withExtendedLifetime(list) {}
  }

  private init(handle id: hid_t, name: String, byteCount: Int) throws(HDF5Error) {
    guard let handle = HDF5Handle(id) else {
      let reason = HDF5Library.reason
      if reason.hasPrefix("truncated file") || reason.contains("addr overflow") {
        throw HDF5Error(
          .truncated, file: name, detail: "is truncated: only \(spokenByteCount(byteCount)) of it are here")
      }
      throw HDF5Error(.damaged, file: name, detail: "is damaged: \(reason)")
    }
    self.name = name
    let context = HDF5Context(file: name, byteCount: byteCount, handle: handle)
    guard let root = HDF5Handle(H5Gopen2(handle.id, "/", HDF5Library.defaults)) else {
      throw HDF5Error(.damaged, file: name, detail: "has no root group: \(HDF5Library.reason)")
    }
    self.root = HDF5Group(context: context, handle: root, path: "/")
  }
}

/// What every object of a file needs to know about it.
struct HDF5Context: Sendable {
  /// The name of the file.
  let file: String
  /// The size of the file: nothing in it can be larger, unless it is packed.
  let byteCount: Int
  /// The file itself, kept open while any of its objects lives.
  let handle: HDF5Handle

  /// What one element of a type takes in the file.
  ///
  /// Of a string of any length that is its length, the address of the place where it lies, and its number there; the
  /// library itself only tells the size of a pointer in memory.
  func storedByteCount(of type: hid_t) throws(HDF5Error) -> Int {
    guard H5Tis_variable_str(type) > 0 else { return H5Tget_size(type) }
    var addressByteCount = 0
    var lengthByteCount = 0
    guard let list = HDF5Handle(H5Fget_create_plist(handle.id)),
      H5Pget_sizes(list.id, &addressByteCount, &lengthByteCount) >= 0
    else { throw error(.damaged, nil, "is damaged: \(HDF5Library.reason)") }
    return 4 + addressByteCount + 4
  }

  /// An error about an object of this file.
  func error(_ code: HDF5Error.Code, _ object: String?, _ detail: String) -> HDF5Error {
    HDF5Error(code, file: file, object: object, detail: detail)
  }

  /// The error for a call of the library that failed on what the file holds.
  func damage(_ object: String) -> HDF5Error {
    let reason = HDF5Library.reason
    return error(.damaged, object, reason.isEmpty ? "is damaged" : "is damaged: \(reason)")
  }
}

extension chdf5_source {
  /// The contents of an open file, which is held while libhdf5 has it open.
  fileprivate init(_ file: OpenedFile) {
    self.init(
      descriptor: file.descriptor, bytes: nil, byte_count: UInt64(file.byteCount),
      owner: Unmanaged.passUnretained(file).toOpaque(), retain: retainOwner, release: releaseOwner)
  }

  /// Bytes in memory, which are held while libhdf5 has them open.
  fileprivate init(_ bytes: FileBytes) {
    self.init(
      descriptor: -1, bytes: bytes.buffer.baseAddress?.assumingMemoryBound(to: UInt8.self),
      byte_count: UInt64(bytes.buffer.count), owner: Unmanaged.passUnretained(bytes).toOpaque(),
      retain: retainOwner, release: releaseOwner)
  }
}

private func retainOwner(_ owner: UnsafeMutableRawPointer?) {
  if let owner { _ = Unmanaged<AnyObject>.fromOpaque(owner).retain() }
}

private func releaseOwner(_ owner: UnsafeMutableRawPointer?) {
  if let owner { Unmanaged<AnyObject>.fromOpaque(owner).release() }
}
