import CHDF5
import Tensors

extension HDF5Group {
  /// Makes a group; groups on the way to it are made where they are missing.
  ///
  /// - Throws: ``HDF5Error`` with `invalidName` or `writeFailed`.
  @discardableResult
  package func createGroup(_ path: String) throws(HDF5Error) -> HDF5Group {
    HDF5Library.enter()
    defer { HDF5Library.leave() }
    let (parent, name) = try makeParent(of: path)
    try parent.checkNew(name)
    return try parent.makeGroup(name)
  }

  /// Writes an array of numbers; groups on the way to it are made where they are missing.
  ///
  /// - Throws: ``HDF5Error`` with `invalidName` or `writeFailed`.
  @discardableResult
  package func write(
    _ tensor: Tensor, named path: String, storage: HDF5Storage = .contiguous
  ) throws(HDF5Error) -> HDF5Dataset {
    HDF5Library.enter()
    defer { HDF5Library.leave() }
    let (parent, name) = try makeParent(of: path)
    try parent.checkNew(name)
    guard let fileType = tensor.elementType.makeFileType(), let memoryType = tensor.elementType.makeMemoryType(),
      let space = tensor.shape.makeSpace(), let list = storage.makeList(for: tensor),
      let handle = HDF5Handle(
        H5Dcreate2(parent.handle.id, name, fileType.id, space.id, HDF5Library.defaults, list.id, HDF5Library.defaults))
    else { throw parent.failure(name) }
    let status = tensor.withUnsafeBytes { bytes in
      bytes.isEmpty ? 0 : chdf5_write(handle.id, memoryType.id, bytes.baseAddress)
    }
    if status < 0 { throw parent.failure(name) }
    let place = parent.path(of: name)
    if tensor.elementType == .bf16 {
      try HDF5Attributes(context: context, owner: handle, ownerPath: place).set(.string("bfloat16"), named: "dtype")
    }
    return try HDF5Dataset(context: context.withoutLimits, handle: handle, path: place)
  }

  /// The group that will hold the last name of a path.
  private func makeParent(of path: String) throws(HDF5Error) -> (HDF5Group, String) {
    var group = try start(of: path)
    let names = names(of: path)
    guard let last = names.last else { throw context.error(.invalidName, path, "is no name for something new") }
    for name in names.dropLast() {
      if try group.hardLink(name) == nil {
        try group.checkNew(name)
        group = try group.makeGroup(name)
      } else {
        group = try group.openGroup(name)
      }
    }
    return (group, last)
  }

  private func checkNew(_ name: String) throws(HDF5Error) {
    guard name != ".", !name.utf8.contains(0), name.utf8.count < 1 << 16 else {
      throw context.error(.invalidName, path(of: name), "is a name that the format cannot hold")
    }
    guard try hardLink(name) == nil else { throw context.error(.invalidName, path(of: name), "exists already") }
  }

  private func makeGroup(_ name: String) throws(HDF5Error) -> HDF5Group {
    guard let list = HDF5Handle(chdf5_make_list(chdf5_group_create)), H5Pset_obj_track_times(list.id, false) >= 0,
      let group = HDF5Handle(H5Gcreate2(handle.id, name, HDF5Library.defaults, list.id, HDF5Library.defaults))
    else { throw failure(name) }
    return HDF5Group(context: context, handle: group, path: path(of: name))
  }

  private func failure(_ name: String) -> HDF5Error {
    context.error(.writeFailed, path(of: name), "cannot be written: \(HDF5Library.reason)")
  }
}

extension HDF5Storage {
  /// The library's list of wishes for a new dataset; without times, so that equal contents make equal files.
  fileprivate func makeList(for tensor: Tensor) -> HDF5Handle? {
    guard let list = HDF5Handle(chdf5_make_list(chdf5_dataset_create)), H5Pset_obj_track_times(list.id, false) >= 0
    else { return nil }
    // A scalar and an array without elements have nothing to cut into blocks.
    guard case .chunked(let wished, let deflateLevel, let shuffle, let checksum) = self, tensor.byteCount > 0,
      tensor.shape.rank > 0
    else { return list }
    let dimensions =
      wished
      ?? Self.chunkDimensions(for: tensor.shape.dimensions, elementByteCount: tensor.elementType.byteCount)
    precondition(dimensions.count == tensor.shape.rank, "blocks of \(dimensions) do not tile \(tensor.shape)")
    guard H5Pset_chunk(list.id, Int32(dimensions.count), dimensions.map(hsize_t.init)) >= 0 else { return nil }
    if shuffle && H5Pset_shuffle(list.id) < 0 { return nil }
    if let deflateLevel, H5Pset_deflate(list.id, UInt32(deflateLevel)) < 0 { return nil }
    if checksum && H5Pset_fletcher32(list.id) < 0 { return nil }
    return list
  }
}
