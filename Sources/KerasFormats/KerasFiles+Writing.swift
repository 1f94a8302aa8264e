import Graphs
import HDF5Files
import Tensors

extension KerasFiles {
  /// The version of Keras whose files are written: what stock Keras of this version writes and reads was the model.
  public static let writtenKerasVersion = "3.15.1"

  /// Writes a network with its weights as a whole-model `.h5` or a `.keras` file that stock Keras 3 opens.
  ///
  /// The file appears whole or not at all, and equal contents make equal bytes.
  ///
  /// - Parameters:
  ///   - weights: A single-precision tensor for every parameter of the graph; others are not written.
  ///   - format: `wholeModelH5` or `keras`.
  ///   - graftDocument: What is added for Graft, in UTF-8: the member `graft.json`, or the attribute `graft`.
  ///   - frozenLayers: Layers that are written with `trainable` false.
  /// - Throws: ``WeightError``.
  public static func write(
    _ graph: Graph, weights: Weights, to path: String, format: KerasFormat, graftDocument: [UInt8]? = nil,
    frozenLayers: Set<String> = []
  ) throws(WeightError) {
    precondition(format == .wholeModelH5 || format == .keras, "a network is written as .h5 or .keras")
    do throws(WeightError) {
      do throws(GraphError) {
        try weights.check(against: graph)
      } catch {
        throw WeightError(.unfitWeights, object: error.subject, detail: error.detail)
      }
      var model = ModelNester.description(of: graph)
      model.freeze(frozenLayers)
      let json = try ModelWriter(frozenLayers: frozenLayers).json(model).text
      let layout = WeightLayout(model, graph: graph)
      if format == .keras {
        try writeArchive(json, layout, weights, to: path, graftDocument: graftDocument)
      } else {
        try writeHDF5(json, layout, weights, to: path, graftDocument: graftDocument)
      }
    } catch {
      throw error.inFile(path)
    }
  }
}

// MARK: - .keras

extension KerasFiles {
  private static func writeArchive(
    _ json: String, _ layout: WeightLayout, _ weights: Weights, to path: String, graftDocument: [UInt8]?
  ) throws(WeightError) {
    let store = try writingHDF5(path) {
      try HDF5File.bytes(name: path) { root in
        try root.createGroup("vars")
        for layer in layout.storeLayers() {
          let group = try root.createGroup("\(layer.place)/vars")
          try group.attributes.set(.string(layer.name.lastName), named: "name")
          for (index, parameter) in layer.parameters.enumerated() {
            try group.write(weights.stored(parameter), named: "\(index)")
          }
        }
      }
    }
    let metadata: JSON = [
      "keras_version": .string(writtenKerasVersion),
      // A fixed date, so that equal models make equal files.
      "date_saved": "1980-01-01@00:00:00",
    ]
    var members = [("metadata.json", Array(metadata.text.utf8)), ("config.json", Array(json.utf8))]
    if let graftDocument { members.append(("graft.json", graftDocument)) }
    members.append(("model.weights.h5", store))
    try ZipArchive.write(members.map { (name: $0.0, bytes: $0.1) }, to: path)
  }
}

// MARK: - .h5

extension KerasFiles {
  private static func writeHDF5(
    _ json: String, _ layout: WeightLayout, _ weights: Weights, to path: String, graftDocument: [UInt8]?
  ) throws(WeightError) {
    var document: String?
    if let graftDocument {
      guard let text = String(validating: graftDocument, as: UTF8.self), !graftDocument.contains(0) else {
        throw WeightError(
          .inexpressible, object: "graft", detail: "is no text in UTF-8, and an attribute holds no other")
      }
      document = text
    }
    try writingHDF5(path) {
      try HDF5File.write(to: path) { root in
        try root.attributes.set(.string("tensorflow"), named: "backend")
        try root.attributes.set(.string(writtenKerasVersion), named: "keras_version")
        try root.attributes.set(.string(json), named: "model_config")
        if let document { try root.attributes.set(.string(document), named: "graft") }
        let group = try root.createGroup("model_weights")
        try group.attributes.set(.string("tensorflow"), named: "backend")
        try group.attributes.set(.string(writtenKerasVersion), named: "keras_version")
        let layers = layout.legacyLayers()
        try setNames(layers.map(\.name), named: "layer_names", of: group)
        for layer in layers {
          let place = try group.createGroup(layer.name)
          // Every name begins with the layer's own, as in Keras.
          let names = layer.parameters.map { "\(layer.name)/\($0.name)" }
          try setNames(names, named: "weight_names", of: place)
          for (name, parameter) in zip(names, layer.parameters) {
            try place.write(weights.stored(parameter), named: name)
          }
        }
        try setNames([], named: "weight_names", of: try group.createGroup("top_level_model_weights"))
      }
    }
  }

  /// Attaches a list of names, split into as many attributes as its bytes need.
  private static func setNames(_ names: [String], named name: String, of group: HDF5Group) throws {
    let longest = names.reduce(1) { max($0, $1.utf8.count) }
    var partCount = 1
    while (names.count + partCount - 1) / partCount * longest > HDF5Attributes.maximumInlineByteCount { partCount += 1 }
    guard partCount > 1 else {
      try group.attributes.set(.strings(names), named: name)
      return
    }
    var start = 0
    for part in 0..<partCount {
      let count = names.count / partCount + (part < names.count % partCount ? 1 : 0)
      try group.attributes.set(.strings(Array(names[start..<start + count])), named: "\(name)\(part)")
      start += count
    }
  }

  /// Runs a body that writes HDF5 and turns its errors into those of this module.
  private static func writingHDF5<Result>(_ path: String, _ body: () throws -> Result) throws(WeightError) -> Result {
    do {
      return try body()
    } catch let error as HDF5Error {
      throw WeightError(error)
    } catch {
      throw WeightError(.writeFailed, file: path, detail: "cannot be written: \(error)")
    }
  }
}

extension Weights {
  /// The tensor of a parameter as Keras stores it: counts are whole numbers there.
  fileprivate func stored(_ parameter: ExpectedParameter) -> Tensor {
    guard let tensor = self[parameter.path] else { preconditionFailure("the weights were checked against the graph") }
    return parameter.isCount ? tensor.converted(to: .i32) : tensor
  }
}

extension String {
  /// What follows the last slash.
  fileprivate var lastName: String { split(separator: "/").last.map(String.init) ?? self }
}

extension ModelDescription {
  /// Marks layers as frozen, which changes the order in which a nested network lists its weights.
  fileprivate mutating func freeze(_ names: Set<String>) {
    if names.isEmpty { return }
    for index in layers.indices {
      if names.contains(layers[index].path) { layers[index].isTrainable = false }
      if case .model(var inner) = layers[index].content {
        inner.freeze(names)
        layers[index].content = .model(inner)
      }
    }
  }
}
