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
  /// The HDF5 files that hold the weights, one unless they were cut into parts; none where nobody needs them.
  private let files: [HDF5File]
  private let otherMembers: [String]

  /// The document of Graft may have so many bytes, and so may other small members.
  private static let maximumDocumentByteCount: UInt64 = 1 << 26
  /// The HDF5 file inside an archive may have so many bytes.
  private static let maximumWeightsByteCount: UInt64 = 1 << 35

  /// Opens a file.
  ///
  /// - Parameter needsWeights: Whether the weights of an archive are brought into memory.
  init(_ path: String, needsWeights: Bool = true) throws(WeightError) {
    switch try FileKind(of: path) {
    case .hdf5: try self.init(hdf5: path)
    case .zip: try self.init(archive: path, needsWeights: needsWeights)
    case .json: try self.init(parts: path)
    }
  }

  private init(parts path: String) throws(WeightError) {
    var files: [HDF5File] = []
    for part in try ShardIndex(readingFrom: path).parts {
      files.append(try readingHDF5 { () throws(HDF5Error) in try HDF5File(readingFrom: part) })
    }
    self.files = files
    format = .weightsH5
    configuration = nil
    kerasVersion = nil
    graftDocument = nil
    otherMembers = []
  }

  private init(hdf5 path: String) throws(WeightError) {
    let file = try readingHDF5 { () throws(HDF5Error) in try HDF5File(readingFrom: path) }
    files = [file]
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
        .unknownFormat, file: path,
        detail: "is of a Keras before 1.0, whose layers have numbers instead of names; Keras 1 can save it anew")
    } else {
      throw WeightError(
        .unknownFormat, file: path,
        detail: "is an HDF5 file, but not one of Keras: it has neither model_weights nor layer_names nor layers")
    }
    kerasVersion = version
    otherMembers = others
  }

  private init(archive path: String, needsWeights: Bool) throws(WeightError) {
    let archive = try ZipArchive(readingFrom: path)
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
      files = []
      return
    }
    guard let bytes = try archive.bytes(of: "model.weights.h5", maximumByteCount: Self.maximumWeightsByteCount) else {
      throw WeightError(.damaged, file: path, detail: "has no member model.weights.h5, where the weights should be")
    }
    files = [
      try readingHDF5 { () throws(HDF5Error) in try HDF5File(reading: bytes, name: "\(path): model.weights.h5") }
    ]
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
    if reader.isKeras2, format == .wholeModelH5, let weights = try legacyWeights() {
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
    let layout = WeightLayout(model, graph: graph)
    var plan: WeightPlan
    switch format {
    case .wholeModelH5, .weightsOnlyH5:
      guard let weights = try legacyWeights() else { return WeightPlan() }
      plan = try legacyPlan(weights, layout.legacyLayers(), options)
      plan.report.ignored = weights.randomStates + otherMembers
    case .keras, .weightsH5:
      if files.isEmpty { return WeightPlan() }
      let weights = try StoreWeights(files.map(\.root))
      let matcher = WeightMatcher(
        stored: weights.layers, expected: layout.storeLayers(), dialect: WeightDialect())
      plan = try matcher.plan(options.matching)
      plan.report.ignored = weights.others + otherMembers
    }
    return plan
  }

  /// A file without a version is one of Keras 1.
  private var isKeras1: Bool { kerasVersion.map { $0.hasPrefix("1.") || $0.hasPrefix("0.") } ?? true }

  private func legacyWeights() throws(WeightError) -> LegacyWeights? {
    guard let root = files.first?.root else { return nil }
    if format == .weightsOnlyH5 { return try LegacyWeights(root) }
    return try LegacyWeights(try readingHDF5 { () throws(HDF5Error) in try root.group("model_weights") })
  }

  /// Whether the backend that wrote a file turned kernels; the files of Keras 1 tell it only by their names.
  private func turnsKernels(_ weights: LegacyWeights, _ options: LoadOptions) -> Bool {
    if let orientation = options.kernelOrientation { return orientation == .convolution }
    return weights.backend.map { $0 == "theano" } ?? (isKeras1 && weights.hasNamesOfTheano)
  }

  private func legacyPlan(
    _ weights: LegacyWeights, _ expected: [ExpectedLayer], _ options: LoadOptions
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
