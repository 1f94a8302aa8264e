import Graphs
import HDF5Files

/// A file of Keras that is open for reading, whatever its kind.
struct OpenKerasFile {
  /// The kind of file.
  let format: KerasFormat
  /// The JSON of the network, if the file has one.
  private let configuration: [UInt8]?
  private let kerasVersion: String?
  private let graftDocument: [UInt8]?
  /// Where the weights are.
  private let source: WeightSource
  private let otherMembers: [String]

  /// Where weights come from.
  private enum WeightSource {
    /// Nobody needs them.
    case none
    /// The HDF5 file that holds them.
    case file(HDF5File)
    /// A reader has brought them.
    case layers([StoredLayer])
  }

  /// The document of Graft may have so many bytes, and so may other small members.
  private static let maximumDocumentByteCount: UInt64 = 1 << 26
  /// The HDF5 file inside an archive may have so many bytes.
  private static let maximumWeightsByteCount: UInt64 = 1 << 35

  /// Reads a file that is open.
  ///
  /// - Parameter needsWeights: Whether the weights of an archive are brought into memory.
  init(_ file: OpenedFile, needsWeights: Bool = true) throws(WeightError) {
    switch try FileKind(of: file) {
    case .hdf5: try self.init(hdf5: file)
    case .zip: try self.init(archive: file, needsWeights: needsWeights)
    }
  }

  /// What a reader found in a file.
  init(_ contents: KerasContents) {
    format = contents.format
    configuration = contents.configuration
    kerasVersion = contents.kerasVersion
    graftDocument = contents.graftDocument
    otherMembers = contents.otherMembers
    source = .layers(contents.layers)
  }

  private init(hdf5 opened: OpenedFile) throws(WeightError) {
    let file = try readingHDF5 { () throws(HDF5Error) in try HDF5File(reading: opened) }
    source = .file(file)
    let attributes = file.root.attributes
    func text(_ name: String, of attributes: HDF5Attributes) throws(WeightError) -> String? {
      try readingHDF5 { () throws(HDF5Error) in try attributes[name]?.string }
    }
    configuration = try text("model_config", of: attributes).map { Array($0.utf8) }
    graftDocument = try text("graft", of: attributes).map { Array($0.utf8) }
    let kind = try readingHDF5 { () throws(HDF5Error) in try file.root.kind(of: "model_weights") }
    var version = try text("keras_version", of: attributes)
    var others: [String] = []
    if kind == .group {
      format = .wholeModelH5
      if version == nil {
        let weights = try readingHDF5 { () throws(HDF5Error) in try file.root.group("model_weights") }
        version = try text("keras_version", of: weights.attributes)
      }
      for member in try readingHDF5({ () throws(HDF5Error) in try file.root.members() })
      where member.name != "model_weights" {
        others.append(member.name)
      }
    } else if try LegacyWeights.isPresent(in: file.root) {
      format = .weightsOnlyH5
    } else if try StoreWeights.isPresent(in: file.root) {
      format = .weightsH5
    } else {
      throw WeightError(
        .unknownFormat, file: opened.name,
        detail: "is an HDF5 file, but not one of Keras: it has neither model_weights nor layer_names nor layers")
    }
    kerasVersion = version
    otherMembers = others
  }

  private init(archive opened: OpenedFile, needsWeights: Bool) throws(WeightError) {
    let path = opened.name
    let archive = try ZipArchive(reading: opened)
    guard let json = try archive.bytes(of: "config.json", maximumByteCount: UInt64(JSON.maximumByteCount)) else {
      throw WeightError(
        .unknownFormat, file: path, detail: "is a zip archive, but not one of Keras: it has no config.json")
    }
    format = .keras
    configuration = json
    graftDocument = try archive.bytes(of: "graft.json", maximumByteCount: Self.maximumDocumentByteCount)
    let metadata = try archive.bytes(of: "metadata.json", maximumByteCount: Self.maximumDocumentByteCount)
    kerasVersion = try metadata.flatMap { bytes throws(WeightError) in
      try KerasJSON.parse(bytes, object: "metadata.json")["keras_version"]?.string
    }
    let own = ["config.json", "graft.json", "metadata.json", "model.weights.h5"]
    otherMembers = archive.memberNames.filter { !own.contains($0) }
    guard needsWeights else {
      source = .none
      return
    }
    guard let bytes = try archive.contents(of: "model.weights.h5", maximumByteCount: Self.maximumWeightsByteCount)
    else {
      throw WeightError(.damaged, file: path, detail: "has no member model.weights.h5, where the weights should be")
    }
    source = .file(
      try readingHDF5 { () throws(HDF5Error) in try HDF5File(reading: bytes, name: "\(path): model.weights.h5") })
  }

  /// The network that the file describes, in Keras's words and as a graph.
  ///
  /// - Throws: ``WeightError``.
  func architecture(
    inputSize: Size2D?
  ) throws(WeightError) -> (model: ModelDescription, architecture: KerasArchitecture) {
    guard let configuration else {
      throw WeightError(
        .noArchitecture, detail: "holds weights but no network; load them into a network of a known family")
    }
    let json = try KerasJSON.parse(configuration, object: format == .keras ? "config.json" : "model_config")
    let model = try ModelReader(kerasVersion: kerasVersion, json: json).model(json)
    let graph = try GraphBuilder.graph(of: model, openSize: inputSize ?? KerasJSON.usualSize)
    var frozen: Set<String> = []
    model.collectFrozenLayers(into: &frozen, isFrozen: false)
    let architecture = KerasArchitecture(
      graph: graph, frozenLayers: frozen.filter { !graph.parameters(of: $0).isEmpty }, kerasVersion: kerasVersion,
      format: format, graftDocument: graftDocument, otherContents: otherMembers)
    return (model, architecture)
  }

  /// The weights of the file, each at its place in a graph.
  ///
  /// - Parameter model: The graph in Keras's words, which say the order of the weights.
  /// - Throws: ``WeightError``.
  func weights(
    for graph: Graph, _ model: ModelDescription, options: LoadOptions
  ) throws(WeightError) -> (weights: Weights, report: LoadReport) {
    let layout = WeightLayout(model, graph: graph)
    let expected =
      switch format {
      case .wholeModelH5, .weightsOnlyH5: layout.legacyLayers()
      case .keras, .weightsH5: layout.storeLayers()
      }
    let matcher = WeightMatcher(stored: try storedLayers(), expected: expected)
    var plan = matcher.plan(options: options)
    try plan.report.check(against: options, hasParameters: graph.parameterCount > 0)
    let weights = try plan.read()
    return (weights, plan.report)
  }

  /// Everything that the file says, for whoever interprets it elsewhere.
  ///
  /// - Parameter withLayers: Whether the layers with weights are wanted.
  /// - Throws: ``WeightError``.
  func contents(withLayers: Bool) throws(WeightError) -> KerasContents {
    KerasContents(
      format: format, configuration: configuration, kerasVersion: kerasVersion, graftDocument: graftDocument,
      otherMembers: otherMembers, layers: withLayers ? try storedLayers() : [])
  }

  /// The layers that have weights, as the file names them.
  private func storedLayers() throws(WeightError) -> [StoredLayer] {
    switch source {
    case .none: return []
    case .layers(let layers): return layers
    case .file(let file):
      switch format {
      case .wholeModelH5:
        let group = try readingHDF5 { () throws(HDF5Error) in try file.root.group("model_weights") }
        return try LegacyWeights(group).layers
      case .weightsOnlyH5: return try LegacyWeights(file.root).layers
      case .keras, .weightsH5: return try StoreWeights(file.root).layers
      }
    }
  }
}

extension ModelDescription {
  fileprivate func collectFrozenLayers(into names: inout Set<String>, isFrozen: Bool) {
    for layer in layers {
      let isFrozen = isFrozen || !layer.isTrainable
      switch layer.content {
      case .input: break
      case .layer: if isFrozen { names.insert(layer.path) }
      case .model(let inner): inner.collectFrozenLayers(into: &names, isFrozen: isFrozen)
      }
    }
  }
}
