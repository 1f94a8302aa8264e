import Graphs
import HDF5Files

/// A file of Keras that is open for reading, whatever its kind.
struct OpenKerasFile {
  /// The kind of file.
  let format: KerasFormat
  /// The JSON of the network, if the file has one.
  private let configuration: [UInt8]?
  private let kerasVersion: String?
  /// The document that Graft adds to its files, byte for byte.
  let graftDocument: [UInt8]?
  /// Where the weights are.
  private let source: WeightSource
  private let otherMembers: [String]
  /// The size of the file, or of all its parts.
  let byteCount: Int

  /// Where weights come from.
  private enum WeightSource {
    /// Nobody needs them.
    case none
    /// The HDF5 file that holds them.
    case file(HDF5File)
    /// A reader has brought them, or they were put together from the parts of a file.
    case weights(StoredWeights)
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
    case .json: try self.init(parts: try ShardIndex(reading: file).open())
    }
  }

  /// What a reader found in a file.
  init(_ contents: KerasContents) {
    format = contents.format
    configuration = contents.configuration
    kerasVersion = contents.kerasVersion
    graftDocument = contents.graftDocument
    otherMembers = contents.otherMembers
    source = .weights(contents.weights)
    byteCount = contents.byteCount
  }

  private init(parts: [OpenedFile]) throws(WeightError) {
    var found: [(file: String, weights: StoredWeights)] = []
    for part in parts {
      let file = try OpenKerasFile(hdf5: part)
      guard file.format == .weightsH5, let weights = try file.storedWeights() else {
        throw ShardIndex.noPart(part.name)
      }
      found.append((part.name, weights))
    }
    source = .weights(try StoredWeights(joining: found))
    byteCount = parts.reduce(0) { $0 + $1.byteCount }
    format = .weightsH5
    configuration = nil
    kerasVersion = nil
    graftDocument = nil
    otherMembers = []
  }

  private init(hdf5 opened: OpenedFile) throws(WeightError) {
    let file = try readingHDF5 { () throws(HDF5Error) in try HDF5File(reading: opened) }
    source = .file(file)
    byteCount = opened.byteCount
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
    } else if try LegacyWeights.isPrehistoric(file.root) {
      throw WeightError(
        .unknownFormat, file: opened.name,
        detail: "is of a Keras before 1.0, whose layers have numbers instead of names; Keras 1 can save it anew")
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
    byteCount = opened.byteCount
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
    inputSize: Size2D?, options: LoadOptions
  ) throws(WeightError) -> (model: ModelDescription, architecture: KerasArchitecture) {
    guard let configuration else {
      throw WeightError(
        .noArchitecture, detail: "holds weights but no network; load them into a network of a known family")
    }
    let json = try KerasJSON.parse(configuration, object: format == .keras ? "config.json" : "model_config")
    let reader = ModelReader(
      kerasVersion: kerasVersion, json: json, isKeras1: format == .wholeModelH5, options: options)
    let model = try reader.model(json)
    var padsLikeTheano = false
    if reader.isKeras2, format == .wholeModelH5, let weights = try storedWeights() {
      padsLikeTheano = turnsKernels(weights, options)
    }
    let graph = try GraphBuilder.graph(
      of: model, openSize: inputSize ?? KerasJSON.usualSize, padsLikeTheano: padsLikeTheano)
    var frozen: Set<String> = []
    model.collectFrozenLayers(into: &frozen, isFrozen: false)
    let architecture = KerasArchitecture(
      graph: graph, frozenLayers: frozen.filter { !graph.parameters(of: $0).isEmpty }, kerasVersion: kerasVersion,
      format: format, graftDocument: graftDocument, otherContents: otherMembers)
    return (model, architecture)
  }

  /// How the arrays of the file would fill a network; nothing is read yet.
  ///
  /// - Parameter model: The network as a description: the file's own, or one made of the graph.
  /// - Throws: ``WeightError``.
  func plan(
    for graph: Graph, _ model: ModelDescription, options: LoadOptions
  ) throws(WeightError) -> WeightPlan {
    guard let weights = try storedWeights() else { return WeightPlan() }
    let layout = WeightLayout(model, graph: graph)
    var plan: WeightPlan
    switch format {
    case .wholeModelH5, .weightsOnlyH5:
      plan = try legacyPlan(weights, layout.legacyLayers(), options)
    case .keras, .weightsH5:
      let matcher = WeightMatcher(
        stored: weights.layers, expected: layout.storeLayers(), dialect: WeightDialect())
      plan = try matcher.plan(options.matching)
    }
    plan.report.ignored = weights.others + otherMembers
    return plan
  }

  /// A file without a version is one of Keras 1.
  private var isKeras1: Bool { kerasVersion.map { $0.hasPrefix("1.") || $0.hasPrefix("0.") } ?? true }

  /// Whether the backend that wrote a file turned kernels; the files of Keras 1 tell it only by their names.
  private func turnsKernels(_ weights: StoredWeights, _ options: LoadOptions) -> Bool {
    if let orientation = options.kernelOrientation { return orientation == .convolution }
    return weights.backend.map { $0 == "theano" } ?? (isKeras1 && weights.hasNamesOfTheano)
  }

  private func legacyPlan(
    _ weights: StoredWeights, _ expected: [ExpectedLayer], _ options: LoadOptions
  ) throws(WeightError) -> WeightPlan {
    var dialect = WeightDialect(isKeras1: isKeras1, turnsKernels: turnsKernels(weights, options))
    func candidate(isChannelsFirst: Bool?) throws(WeightError) -> WeightPlan {
      dialect.isChannelsFirst = isChannelsFirst
      return try WeightMatcher(stored: weights.layers, expected: expected, dialect: dialect).plan(options.matching)
    }
    var plan = try candidate(isChannelsFirst: nil)
    if dialect.isKeras1, !plan.report.isComplete {
      let other = try candidate(isChannelsFirst: true)
      if other.report.matched.count > plan.report.matched.count { plan = other }
    }
    if dialect.isKeras1, options.kernelOrientation == nil, weights.backend == nil, weights.hasNumberedNames {
      plan.report.warnings.append(
        "The file does not tell whether TensorFlow or Theano trained it; if it was Theano, its kernels must be turned.")
    }
    if dialect.turnsKernels, plan.pairs.contains(where: { !$0.conversion.reversed.isEmpty }) {
      let reason = options.kernelOrientation == nil ? ", because the file was written on Theano" : ""
      plan.report.warnings.append("The kernels of convolutions were turned by 180 degrees\(reason).")
    }
    return plan
  }

  /// The weights for a network, and what became of every array.
  ///
  /// - Parameter model: The network as a description: the file's own, or one made of the graph.
  /// - Throws: ``WeightError``.
  func weights(
    for graph: Graph, _ model: ModelDescription, options: LoadOptions
  ) throws(WeightError) -> (weights: Weights, report: LoadReport) {
    var plan = try plan(for: graph, model, options: options)
    try plan.check(against: options)
    let weights = try plan.read()
    return (weights, plan.report)
  }

  /// Everything that the file says, for whoever interprets it elsewhere.
  ///
  /// - Throws: ``WeightError``.
  func contents() throws(WeightError) -> KerasContents {
    KerasContents(
      format: format, configuration: configuration, kerasVersion: kerasVersion, graftDocument: graftDocument,
      otherMembers: otherMembers, byteCount: byteCount, weights: try storedWeights() ?? StoredWeights(layers: []))
  }

  /// Reads every array once and lets it go.
  ///
  /// - Throws: ``WeightError`` for the first that cannot be read.
  func checkNumbers() throws(WeightError) {
    guard let weights = try storedWeights() else { return }
    for array in weights.layers.flatMap(\.arrays) where array.dataset.elementType != nil {
      _ = try array.dataset.read()
    }
  }

  /// The weights as the file names them; nil where nobody needs them.
  private func storedWeights() throws(WeightError) -> StoredWeights? {
    switch source {
    case .none: return nil
    case .weights(let weights): return weights
    case .file(let file):
      let root = file.root
      switch format {
      case .wholeModelH5:
        let group = try readingHDF5 { () throws(HDF5Error) in try root.group("model_weights") }
        return StoredWeights(try LegacyWeights(group))
      case .weightsOnlyH5: return StoredWeights(try LegacyWeights(root))
      case .keras, .weightsH5: return StoredWeights(try StoreWeights(root))
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
