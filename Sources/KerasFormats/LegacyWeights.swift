import HDF5Files
import Tensors

/// The weights of a legacy HDF5 file: a group a layer, with lists of names in attributes.
struct LegacyWeights {
  /// The layers in the order of the file.
  private(set) var layers: [StoredLayer] = []
  /// States of random numbers, which Keras 2 saved among the weights.
  private(set) var randomStates: [String] = []
  /// The backend that Keras ran on, if the file says so.
  let backend: String?

  /// Looks through a group that has `layer_names`.
  ///
  /// - Throws: ``WeightError``.
  init(_ group: HDF5Group) throws(WeightError) {
    backend = try readingHDF5 { () throws(HDF5Error) in try group.attributes["backend"]?.string }
    for name in try Self.names("layer_names", of: group) {
      let layer = try readingHDF5 { () throws(HDF5Error) in try group.group(name) }
      layers.append(try self.layer(layer, name: name))
    }
    // Variables that belong to the model itself rather than to a layer.
    let top = "top_level_model_weights"
    if !layers.contains(where: { $0.name == top }),
      try readingHDF5({ () throws(HDF5Error) in try group.kind(of: top) }) == .group
    {
      let own = try readingHDF5 { () throws(HDF5Error) in try group.group(top) }
      let layer = try self.layer(own, name: top)
      if !layer.arrays.isEmpty { layers.append(layer) }
    }
  }

  /// Whether Theano ran the network, as far as the names tell: TensorFlow ended those of its variables with `:0`.
  var hasNamesOfTheano: Bool {
    let names = layers.flatMap { $0.arrays.map(\.name) }
    return !names.isEmpty && names.allSatisfy { !$0.hasSuffix(":0") && !$0.hasPrefix("param_") }
  }

  /// Whether nothing in the file tells on which backend it was written: the oldest releases only numbered variables.
  var hasNumberedNames: Bool { layers.contains { $0.arrays.contains { $0.name.hasPrefix("param_") } } }

  /// Whether a group looks like one of these.
  static func isPresent(in group: HDF5Group) throws(WeightError) -> Bool {
    try readingHDF5 { () throws(HDF5Error) in
      let names = try group.attributes.names()
      return names.contains("layer_names") || names.contains("layer_names0")
    }
  }

  /// Whether a group is of the time before Keras 1, when layers had numbers instead of names.
  static func isPrehistoric(_ group: HDF5Group) throws(WeightError) -> Bool {
    try readingHDF5 { () throws(HDF5Error) in try group.attributes.names().contains("nb_layers") }
  }

  private mutating func layer(_ group: HDF5Group, name: String) throws(WeightError) -> StoredLayer {
    var arrays: [StoredLayer.Array] = []
    for weight in try Self.names("weight_names", of: group) {
      let dataset = try readingHDF5 { () throws(HDF5Error) in try group.dataset(weight) }
      if weight.hasSuffix("/StateVar:0") || weight.hasSuffix("/seed_generator_state") {
        randomStates.append(dataset.path)
        continue
      }
      arrays.append(StoredLayer.Array(name: weight, dataset: dataset))
    }
    return StoredLayer(name: name, place: group.path, arrays: arrays)
  }

  /// A list of names, which Keras splits over several attributes if it is long.
  private static func names(_ attribute: String, of group: HDF5Group) throws(WeightError) -> [String] {
    try readingHDF5 { () throws(HDF5Error) in
      func strings(_ name: String) throws(HDF5Error) -> [String]? {
        guard let value = try group.attributes[name] else { return nil }
        guard let strings = value.strings else {
          throw HDF5Error(
            .unsupportedType, file: "", object: "\(group.path) attribute \"\(name)\"", detail: "is no list of names")
        }
        return strings
      }
      if let names = try strings(attribute) { return names }
      var result: [String] = []
      var part = 0
      while let names = try strings("\(attribute)\(part)") {
        result += names
        part += 1
      }
      return result
    }
  }
}
