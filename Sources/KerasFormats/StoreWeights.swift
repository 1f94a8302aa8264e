import HDF5Files

/// The weights of a Keras 3 weights file: a group a layer named after its class, holding `vars` numbered from 0.
struct StoreWeights {
  /// The layers in the order of their groups' names.
  private(set) var layers: [StoredLayer] = []
  /// What else the file holds, such as the state of an optimizer.
  private(set) var others: [String] = []

  /// Looks through the root of a file.
  ///
  /// - Throws: ``WeightError``.
  init(_ root: HDF5Group) throws(WeightError) {
    for member in try Self.members(of: root) {
      switch member.name {
      // Keras 2.12 and 2.13 wrote the layers under a private name.
      case "layers", "_layer_checkpoint_dependencies":
        let group = try readingHDF5 { () throws(HDF5Error) in try root.group(member.name) }
        try append(group, place: "layers", prefix: "", depth: 0)
      case "vars":
        let own = try Self.variables(of: root)
        if !own.arrays.isEmpty { layers.append(StoredLayer(name: nil, place: "vars", arrays: own.arrays)) }
      default: others.append(member.name)
      }
    }
  }

  /// Whether a file looks like one of these.
  static func isPresent(in root: HDF5Group) throws(WeightError) -> Bool {
    try members(of: root).contains { ["layers", "_layer_checkpoint_dependencies"].contains($0.name) }
  }

  private static let maximumDepth = 64

  private mutating func append(
    _ container: HDF5Group, place: String, prefix: String?, depth: Int
  ) throws(WeightError) {
    guard depth < Self.maximumDepth else {
      throw WeightError(.tooLarge, object: container.path, detail: "lies more than \(Self.maximumDepth) networks deep")
    }
    for member in try Self.members(of: container) where member.kind == .group {
      let group = try readingHDF5 { () throws(HDF5Error) in try container.group(member.name) }
      let own = try Self.variables(of: group)
      let groupPlace = "\(place)/\(member.name)"
      let name = prefix.flatMap { prefix in own.name.map { prefix + $0 } }
      if !own.arrays.isEmpty { layers.append(StoredLayer(name: name, place: groupPlace, arrays: own.arrays)) }
      for inner in try Self.members(of: group) where inner.kind == .group && inner.name != "vars" {
        guard inner.name == "layers" || inner.name == "_layer_checkpoint_dependencies" else {
          others.append("\(groupPlace)/\(inner.name)")
          continue
        }
        let layers = try readingHDF5 { () throws(HDF5Error) in try group.group(inner.name) }
        try append(layers, place: "\(groupPlace)/layers", prefix: name.map { "\($0)/" }, depth: depth + 1)
      }
    }
  }

  private static func members(of group: HDF5Group) throws(WeightError) -> [HDF5Member] {
    try readingHDF5 { () throws(HDF5Error) in try group.members() }
  }

  /// The numbered arrays of a layer with the layer's name, which newer files attach to them.
  private static func variables(of group: HDF5Group) throws(WeightError) -> (name: String?, arrays: [StoredLayer.Array])
  {
    try readingHDF5 { () throws(HDF5Error) in
      guard try group.kind(of: "vars") == .group else { return (nil, []) }
      let variables = try group.group("vars")
      var arrays: [(index: Int, array: StoredLayer.Array)] = []
      for member in try variables.members() where member.kind == .dataset {
        let array = StoredLayer.Array(
          name: member.name, dataset: StoredArray(try variables.dataset(member.name)))
        arrays.append((Int(member.name) ?? .max, array))
      }
      arrays.sort { $0.index < $1.index }
      return (try variables.attributes["name"]?.string, arrays.map(\.array))
    }
  }
}
