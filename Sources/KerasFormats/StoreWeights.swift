import HDF5Files

/// The weights of a Keras 3 weights file: a group a layer, holding `vars` numbered from 0.
///
/// The groups of a functional or sequential network are named after the layers' classes with running numbers; those of a
/// model of a class of its own after the attributes of the Python object.
struct StoreWeights {
  /// The layers in the order of their groups' names.
  private(set) var layers: [StoredLayer] = []
  /// What else the file holds, such as the state of an optimizer.
  private(set) var others: [String] = []

  /// Looks through the root of a file.
  ///
  /// - Throws: ``WeightError``.
  init(_ root: HDF5Group) throws(WeightError) {
    let isNetwork = try Self.hasLayers(root)
    for member in try Self.members(of: root) {
      if Self.containers.contains(member.name) {
        let group = try readingHDF5 { () throws(HDF5Error) in try root.group(member.name) }
        try append(group, place: "layers", prefix: "", depth: 0)
      } else if member.name == "vars" {
        add(try Self.variables(of: root), name: nil, place: "vars")
      } else if member.kind != .group || isNetwork || Self.isState(member.name) {
        others.append(member.name)
      } else {
        let group = try readingHDF5 { () throws(HDF5Error) in try root.group(member.name) }
        try append(layer: group, place: member.name, prefix: "", depth: 0)
      }
    }
  }

  /// Whether a file looks like one of these.
  static func isPresent(in root: HDF5Group) throws(WeightError) -> Bool {
    if try hasLayers(root) { return true }
    for member in try members(of: root).prefix(100) where member.kind == .group {
      let group = try readingHDF5 { () throws(HDF5Error) in try root.group(member.name) }
      for name in ["vars"] + containers
      where try readingHDF5({ () throws(HDF5Error) in try group.kind(of: name) }) == .group { return true }
    }
    return false
  }

  /// The group of a network's layers; Keras 2.12 and 2.13 wrote it under a private name.
  private static let containers = ["layers", "_layer_checkpoint_dependencies"]
  private static let maximumDepth = 64

  private static func hasLayers(_ root: HDF5Group) throws(WeightError) -> Bool {
    try members(of: root).contains { containers.contains($0.name) }
  }

  /// Whether a group holds the state of training or of random numbers rather than weights.
  private static func isState(_ name: String) -> Bool {
    ["optimizer", "_optimizer", "metrics", "_metrics", "compile_metrics", "_compile_metrics"].contains(name)
      || name.hasSuffix("seed_generator") || name.hasSuffix("random_generator") || name.hasSuffix("loss_tracker")
  }

  private mutating func append(
    _ container: HDF5Group, place: String, prefix: String?, depth: Int
  ) throws(WeightError) {
    for member in try Self.members(of: container) where member.kind == .group {
      let group = try readingHDF5 { () throws(HDF5Error) in try container.group(member.name) }
      try append(layer: group, place: "\(place)/\(member.name)", prefix: prefix, depth: depth)
    }
  }

  private mutating func append(
    layer group: HDF5Group, place: String, prefix: String?, depth: Int
  ) throws(WeightError) {
    guard depth < Self.maximumDepth else {
      throw WeightError(.tooLarge, object: group.path, detail: "lies more than \(Self.maximumDepth) networks deep")
    }
    let own = try Self.variables(of: group)
    let name = prefix.flatMap { prefix in own.name.map { prefix + $0 } }
    add(own, name: name, place: place)
    let inside = name.map { "\($0)/" }
    for member in try Self.members(of: group) where member.kind == .group && member.name != "vars" {
      if Self.isState(member.name) {
        others.append("\(place)/\(member.name)")
        continue
      }
      let part = try readingHDF5 { () throws(HDF5Error) in try group.group(member.name) }
      if Self.containers.contains(member.name) {
        try append(part, place: "\(place)/layers", prefix: inside, depth: depth + 1)
      } else {
        try append(layer: part, place: "\(place)/\(member.name)", prefix: inside, depth: depth + 1)
      }
    }
  }

  /// Adds a layer's arrays, which may lie in several containers.
  private mutating func add(_ own: (name: String?, arrays: [StoredLayer.Array]), name: String?, place: String) {
    if own.arrays.isEmpty { return }
    guard let known = positions[place] else {
      positions[place] = layers.count
      layers.append(StoredLayer(name: name, place: place, arrays: own.arrays))
      return
    }
    layers[known].name = layers[known].name ?? name
    layers[known].arrays = (layers[known].arrays + own.arrays).sorted {
      (Int($0.name) ?? .max) < (Int($1.name) ?? .max)
    }
  }

  private var positions: [String: Int] = [:]

  private static func members(of group: HDF5Group) throws(WeightError) -> [HDF5Member] {
    try readingHDF5 { () throws(HDF5Error) in try group.ownMembers() }
  }

  /// The numbered arrays of a layer with the layer's name, which newer files attach to them.
  private static func variables(of group: HDF5Group) throws(WeightError) -> (name: String?, arrays: [StoredLayer.Array])
  {
    try readingHDF5 { () throws(HDF5Error) in
      guard try group.kind(of: "vars") == .group else { return (nil, []) }
      let variables = try group.group("vars")
      var arrays: [(index: Int, array: StoredLayer.Array)] = []
      for member in try variables.ownMembers() where member.kind == .dataset {
        let array = StoredLayer.Array(
          name: member.name, dataset: StoredArray(try variables.dataset(member.name)))
        arrays.append((Int(member.name) ?? .max, array))
      }
      arrays.sort { $0.index < $1.index }
      return (try variables.attributes["name"]?.string, arrays.map(\.array))
    }
  }
}
