import CHDF5

/// A folder of an HDF5 file: groups and datasets by name.
///
/// Paths such as `conv1/kernel` are walked one name at a time, from this group or, with a leading slash, from the root.
/// Only hard links are followed: the other kinds can lead out of the file.
package struct HDF5Group: Sendable {
  /// Where the group lies in the file: `/model_weights/conv1`.
  package let path: String
  let context: HDF5Context
  let handle: HDF5Handle

  init(context: HDF5Context, handle: HDF5Handle, path: String) {
    self.context = context
    self.handle = handle
    self.path = path
  }

  /// The values that are attached to the group by name.
  package var attributes: HDF5Attributes { HDF5Attributes(context: context, owner: handle, ownerPath: path) }

  /// Opens a group by its path.
  ///
  /// - Throws: ``HDF5Error`` with `missingObject`, `wrongKind`, `refusedLink` or `damaged`.
  package func group(_ path: String) throws(HDF5Error) -> HDF5Group {
    HDF5Library.enter()
    defer { HDF5Library.leave() }
    var group = try start(of: path)
    for name in names(of: path) { group = try group.openGroup(name) }
    return group
  }

  /// Opens a dataset by its path.
  ///
  /// - Throws: ``HDF5Error`` with `missingObject`, `wrongKind`, `refusedLink`, `refusedStorage`, `refusedFilter`,
  ///   `notBacked`, `tooLarge` or `damaged`.
  package func dataset(_ path: String) throws(HDF5Error) -> HDF5Dataset {
    HDF5Library.enter()
    defer { HDF5Library.leave() }
    var group = try start(of: path)
    let names = names(of: path)
    guard let last = names.last else {
      throw context.error(.wrongKind, group.path, "is a group where a dataset is expected")
    }
    for name in names.dropLast() { group = try group.openGroup(name) }
    return try group.openDataset(last)
  }

  /// Whether a hard link of this path exists, and what it leads to.
  ///
  /// - Returns: nil if a name of the path is missing.
  /// - Throws: ``HDF5Error`` with `refusedLink`, `wrongKind` or `damaged`.
  package func kind(of path: String) throws(HDF5Error) -> HDF5Member.Kind? {
    HDF5Library.enter()
    defer { HDF5Library.leave() }
    var group = try start(of: path)
    let names = names(of: path)
    guard let last = names.last else { return .group }
    for name in names.dropLast() {
      if try group.hardLink(name) == nil { return nil }
      group = try group.openGroup(name)
    }
    return try group.hardLink(last)?.kind
  }

  /// The path of something inside this group.
  func path(of name: String) -> String { path == "/" ? "/\(name)" : "\(path)/\(name)" }
}

// MARK: - One name at a time

extension HDF5Group {
  /// The group that a path starts from.
  func start(of path: String) throws(HDF5Error) -> HDF5Group {
    guard path.hasPrefix("/") else { return self }
    guard let root = HDF5Handle(H5Gopen2(context.handle.id, "/", HDF5Library.defaults)) else {
      throw context.damage("/")
    }
    return HDF5Group(context: context, handle: root, path: "/")
  }

  /// The names that a path is made of.
  func names(of path: String) -> [String] { path.split(separator: "/").map(String.init) }

  /// What a name of this group leads to, nil if there is no such name.
  func hardLink(_ name: String) throws(HDF5Error) -> (kind: HDF5Member.Kind, address: UInt64)? {
    guard try isHardLink(name) else { return nil }
    var address: UInt64 = 0
    guard let kind = HDF5Member.Kind(object: chdf5_get_object(handle.id, name, &address)) else {
      throw context.damage(path(of: name))
    }
    return (kind, address)
  }

  /// Opens a group of this group.
  func openGroup(_ name: String) throws(HDF5Error) -> HDF5Group {
    HDF5Group(context: context, handle: try open(name, as: .group), path: path(of: name))
  }

  private func openDataset(_ name: String) throws(HDF5Error) -> HDF5Dataset {
    try HDF5Dataset(context: context, handle: open(name, as: .dataset), path: path(of: name))
  }

  private func open(_ name: String, as expected: HDF5Member.Kind) throws(HDF5Error) -> HDF5Handle {
    let place = path(of: name)
    guard try isHardLink(name) else { throw context.error(.missingObject, place, "does not exist") }
    guard let object = HDF5Handle(H5Oopen(handle.id, name, HDF5Library.defaults)) else { throw context.damage(place) }
    let kind: HDF5Member.Kind =
      switch H5Iget_type(object.id) {
      case H5I_GROUP: .group
      case H5I_DATASET: .dataset
      default: .namedType
      }
    guard kind == expected else {
      throw context.error(.wrongKind, place, "is \(kind.spoken) where \(expected.spoken) is expected")
    }
    return object
  }

  /// Whether this group has the name; links of the other kinds are refused.
  private func isHardLink(_ name: String) throws(HDF5Error) -> Bool {
    // A single dot would mean this group itself, and a zero byte would end the name early.
    if name == "." || name.utf8.contains(0) { return false }
    let link = chdf5_get_link_kind(handle.id, name)
    if link < 0 {
      let damage = context.damage(path(of: name))
      if H5Lexists(handle.id, name, HDF5Library.defaults) == 0 { return false }
      throw damage
    }
    if let refused = HDF5Member.Kind(refusedLink: link) {
      throw context.error(.refusedLink, path(of: name), "is \(refused.spoken), which is not followed")
    }
    return true
  }
}
