import CHDF5

/// One name in a group and what it leads to.
package struct HDF5Member: Hashable, Sendable {
  /// What a name can lead to.
  package enum Kind: Hashable, Sendable {
    /// A group.
    case group
    /// A dataset.
    case dataset
    /// A type that was given a name.
    case namedType
    /// A name for another path of the same file; never followed.
    case softLink
    /// A name for something in another file; never followed.
    case externalLink
    /// A name that a plug-in would have to explain; never followed.
    case userLink
  }

  /// Where the member lies in the file.
  package var path: String
  /// What the name leads to.
  package var kind: Kind
  /// Where the object's header lies in the file: equal for two names of one object; nil for links.
  package var address: UInt64?

  /// The last name of the path.
  package var name: String { path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path }
}

extension HDF5Member.Kind {
  /// The kind with an article, for sentences.
  var spoken: String {
    switch self {
    case .group: "a group"
    case .dataset: "a dataset"
    case .namedType: "a named type"
    case .softLink: "a soft link"
    case .externalLink: "an external link"
    case .userLink: "a user-defined link"
    }
  }

  init?(refusedLink link: Int32) {
    switch link {
    case Int32(chdf5_hard_link.rawValue): return nil
    case Int32(chdf5_soft_link.rawValue): self = .softLink
    case Int32(chdf5_external_link.rawValue): self = .externalLink
    default: self = .userLink
    }
  }

  init?(object: Int32) {
    switch object {
    case ..<0: return nil
    case Int32(chdf5_group.rawValue): self = .group
    case Int32(chdf5_dataset.rawValue): self = .dataset
    default: self = .namedType
    }
  }
}

extension HDF5Group {
  /// More names than this in one group, or in one ``tree(maximumDepth:)``, are refused.
  ///
  /// The largest networks have a few thousand layers. To list a million names takes seconds before the first is seen.
  package static let maximumMemberCount = 100_000

  /// What the group holds, in the order of the names' bytes.
  ///
  /// - Throws: ``HDF5Error`` with `tooLarge` or `damaged`.
  package func members() throws(HDF5Error) -> [HDF5Member] {
    HDF5Library.enter()
    defer { HDF5Library.leave() }
    let links = try self.links()
    var members: [HDF5Member] = []
    members.reserveCapacity(links.count)
    for link in links {
      let place = path(of: link.name)
      if let kind = HDF5Member.Kind(refusedLink: link.kind) {
        members.append(HDF5Member(path: place, kind: kind, address: nil))
        continue
      }
      var address: UInt64 = 0
      guard let kind = HDF5Member.Kind(object: chdf5_get_object(handle.id, link.name, &address)) else {
        throw context.damage(place)
      }
      members.append(HDF5Member(path: place, kind: kind, address: address))
    }
    return members
  }

  /// What the group holds, all of which must lie in it: nobody who makes a file of weights puts a link into it.
  ///
  /// - Throws: ``HDF5Error`` with `refusedLink`, `tooLarge` or `damaged`.
  package func ownMembers() throws(HDF5Error) -> [HDF5Member] {
    let members = try members()
    for member in members where member.address == nil {
      throw context.error(.refusedLink, member.path, "is \(member.kind.spoken), which is not followed")
    }
    return members
  }

  /// Everything below the group, each group before what it holds.
  ///
  /// A group that is reached by a second name is listed there without its contents, so that the result is never larger
  /// than the file.
  ///
  /// - Parameter maximumDepth: How many groups may lie inside each other.
  /// - Throws: ``HDF5Error`` with `cycle` if a group contains itself, `tooLarge` or `damaged`.
  package func tree(maximumDepth: Int = 64) throws(HDF5Error) -> [HDF5Member] {
    HDF5Library.enter()
    defer { HDF5Library.leave() }
    var entries: [HDF5Member] = []
    var seen: Set<UInt64> = []
    var ancestors: Set<UInt64> = []

    func visit(_ group: HDF5Group, at address: UInt64, depth: Int) throws(HDF5Error) {
      guard depth <= maximumDepth else {
        throw context.error(.tooLarge, group.path, "lies more than \(maximumDepth) groups deep")
      }
      seen.insert(address)
      ancestors.insert(address)
      defer { ancestors.remove(address) }
      for member in try group.members() {
        guard entries.count < HDF5Group.maximumMemberCount else {
          throw context.error(.tooLarge, path, "holds more than \(HDF5Group.maximumMemberCount) objects")
        }
        entries.append(member)
        guard member.kind == .group, let child = member.address else { continue }
        if ancestors.contains(child) {
          throw context.error(.cycle, member.path, "is a group that contains itself")
        }
        if !seen.contains(child) {
          try visit(group.openGroup(member.name), at: child, depth: depth + 1)
        }
      }
    }

    var address: UInt64 = 0
    guard chdf5_get_object(handle.id, ".", &address) >= 0 else { throw context.damage(path) }
    try visit(self, at: address, depth: 0)
    return entries
  }

  /// The names of the group with the kinds of their links.
  private func links() throws(HDF5Error) -> [(name: String, kind: Int32)] {
    var information = H5G_info_t()
    guard H5Gget_info(handle.id, &information) >= 0 else { throw context.damage(path) }
    guard information.nlinks <= Self.maximumMemberCount else {
      throw context.error(
        .tooLarge, path, "holds \(information.nlinks) names, more than the \(Self.maximumMemberCount) that are read")
    }
    var listing = LinkListing()
    let status = withUnsafeMutablePointer(to: &listing) { listing in
      chdf5_each_link(
        handle.id,
        { name, kind, context in
          guard let name, let listing = context?.assumingMemoryBound(to: LinkListing.self) else { return -1 }
          return listing.pointee.append(name, kind)
        }, listing)
    }
    switch listing.refusal {
    case .count: throw context.error(.tooLarge, path, "holds more than \(Self.maximumMemberCount) names")
    case .name: throw context.error(.damaged, path, "holds a name that no path can spell")
    case nil: break
    }
    if status < 0 { throw context.damage(path) }
    return listing.links
  }
}

/// The links of a group as they are visited.
private struct LinkListing {
  enum Refusal {
    case count
    case name
  }

  var links: [(name: String, kind: Int32)] = []
  var refusal: Refusal?

  /// Takes one link up; the result tells libhdf5 whether to go on.
  mutating func append(_ bytes: UnsafePointer<CChar>, _ kind: Int32) -> Int32 {
    guard links.count < HDF5Group.maximumMemberCount else {
      refusal = .count
      return 1
    }
    guard let name = String(validatingCString: bytes), !name.isEmpty, name != ".", !name.utf8.contains(0x2f) else {
      refusal = .name
      return 1
    }
    links.append((name, kind))
    return 0
  }
}
