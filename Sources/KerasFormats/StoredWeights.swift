import HDF5Files

/// All weights of a file, as the file names them.
struct StoredWeights {
  /// The layers in the order of the file.
  var layers: [StoredLayer]
  /// What lies among the weights and is none, such as the state of an optimizer or of random numbers.
  var others: [String] = []
  /// The backend that Keras ran on, if the file says so.
  var backend: String?

  /// Whether Theano ran the network, as far as the names tell: TensorFlow ended those of its variables with `:0`.
  var hasNamesOfTheano: Bool {
    let names = layers.flatMap { $0.arrays.map(\.name) }
    return !names.isEmpty && names.allSatisfy { !$0.hasSuffix(":0") && !$0.hasPrefix("param_") }
  }

  /// Whether nothing in the file tells on which backend it was written: the oldest releases only numbered variables.
  var hasNumberedNames: Bool { layers.contains { $0.arrays.contains { $0.name.hasPrefix("param_") } } }
}

extension StoredWeights {
  /// The weights of a legacy file.
  init(_ legacy: LegacyWeights) {
    self.init(layers: legacy.layers, others: legacy.randomStates, backend: legacy.backend)
  }

  /// The weights of a file of Keras 3.
  init(_ store: StoreWeights) { self.init(layers: store.layers, others: store.others) }

  /// The weights of a file that was cut into parts, which distribute the arrays of one layer in any way.
  ///
  /// - Throws: ``WeightError`` with `damaged` where two parts hold the same array.
  init(joining parts: [(file: String, weights: StoredWeights)]) throws(WeightError) {
    self.init(layers: [], others: parts.flatMap(\.weights.others))
    var positions: [String: Int] = [:]
    for (file, weights) in parts {
      for layer in weights.layers {
        guard let known = positions[layer.place] else {
          positions[layer.place] = layers.count
          layers.append(layer)
          continue
        }
        let names = Set(layers[known].arrays.map(\.name))
        if let twice = layer.arrays.first(where: { names.contains($0.name) }) {
          throw WeightError(
            .damaged, file: file, object: twice.dataset.path, detail: "stands in another part of the weights too")
        }
        layers[known].name = layers[known].name ?? layer.name
        layers[known].arrays = (layers[known].arrays + layer.arrays).sorted {
          (Int($0.name) ?? .max) < (Int($1.name) ?? .max)
        }
      }
    }
  }

  /// The bytes that all numbers take.
  var byteCount: Int {
    layers.flatMap(\.arrays).reduce(0) { sum, array in
      // Where there are no numbers, the extents are only claimed.
      guard let type = array.dataset.elementType else { return sum }
      return sum + array.dataset.shape.elementCount * type.byteCount
    }
  }
}
