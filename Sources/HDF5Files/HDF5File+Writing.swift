import CHDF5

extension HDF5File {
  /// Writes a new file, whole or not at all.
  ///
  /// The file is made in memory, written beside its place, synced and renamed, so that neither a full disk nor a crash
  /// leaves a half of it. Equal contents make equal bytes.
  ///
  /// - Parameter body: Writes the contents into the root group it is given, which is of no use afterwards.
  /// - Throws: ``HDF5Error`` with `notAFile`, `noPermission` or `writeFailed`, and what `body` throws.
  package static func write(to path: String, _ body: (HDF5Group) throws -> Void) throws {
    let file = try WholeFile(path)
    try withBytes(name: path, body) { bytes in try file.write(bytes) }
  }

  /// The bytes of a new file, for a member of an archive.
  ///
  /// - Parameters:
  ///   - name: What errors call the file.
  ///   - body: Writes the contents into the root group it is given, which is of no use afterwards.
  package static func bytes(name: String, _ body: (HDF5Group) throws -> Void) throws -> [UInt8] {
    try withBytes(name: name, body) { bytes in [UInt8](bytes) }
  }

  /// Calls `use` with the bytes of a new file, which are not copied.
  ///
  /// libhdf5 cannot close a file that it cannot flush. In memory it always can, so that a full disk is met by us alone.
  ///
  /// - Parameters:
  ///   - name: What errors call the file.
  ///   - body: Writes the contents into the root group it is given, which is of no use afterwards.
  package static func withBytes<Result>(
    name: String, _ body: (HDF5Group) throws -> Void, _ use: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    HDF5Library.enter()
    defer { HDF5Library.leave() }
    func failure() -> HDF5Error {
      HDF5Error(.writeFailed, file: name, detail: "cannot be written: \(HDF5Library.reason)")
    }
    guard let access = HDF5Handle(chdf5_make_list(chdf5_file_access)), H5Pset_fapl_core(access.id, 1 << 22, false) >= 0,
      H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG) >= 0,
      let creation = HDF5Handle(chdf5_make_list(chdf5_file_create)), H5Pset_obj_track_times(creation.id, false) >= 0,
      let file = HDF5Handle(chdf5_create_file(HDF5Library.makeImageName(), creation.id, access.id)),
      let root = HDF5Handle(H5Gopen2(file.id, "/", HDF5Library.defaults))
    else { throw failure() }
    try body(HDF5Group(context: HDF5Context(file: name, byteCount: .max, handle: file), handle: root, path: "/"))
    guard H5Fflush(file.id, H5F_SCOPE_GLOBAL) >= 0 else { throw failure() }
    let byteCount = H5Fget_file_image(file.id, nil, 0)
    var start: UnsafeMutableRawPointer?
    guard byteCount > 0, H5Fget_vfd_handle(file.id, HDF5Library.defaults, &start) >= 0,
      let image = start?.load(as: UnsafeRawPointer?.self)
    else { throw failure() }
    return try use(UnsafeRawBufferPointer(start: image, count: byteCount))
  }
}

extension HDF5Context {
  /// The same file while it is written, when its size says nothing yet.
  var withoutLimits: HDF5Context { HDF5Context(file: file, byteCount: .max, handle: handle) }
}
