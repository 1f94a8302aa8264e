import Graphs
import KerasFormats
import Tensors

/// A trunk with its weights, ready for new heads: it takes RGB pictures of 0…255 and puts out features.
public struct Backbone: Sendable {
  /// The trunk, with its preprocessing as its first layer and with stages.
  public var graph: Graph
  /// A value for every parameter of the trunk.
  public var weights: Weights
  /// The family that the network was recognised as; nil for an unknown one.
  public var family: BackboneFamily?
  /// What the family does to pictures; nil where nobody knows, so that nothing was added.
  public var preprocessing: Preprocessing?
  /// The file that the weights come from.
  public var path: String
  /// The last layer of the trunk, where somebody asked for one.
  public var cutLayer: String?
  /// What its manifest says; nil for a file given by its path.
  public var model: PretrainedModel?
  /// What became of the arrays in the file.
  public var report: LoadReport
  /// How the file was read.
  public var loading: Loading

  /// What somebody wished for when a file was read.
  public struct Loading: Sendable {
    /// The family that the file's weights were said to belong to.
    public var family: BackboneFamily?
    /// How arrays were to find their places.
    public var options: LoadOptions
    /// Where the file was to be read.
    public var mode: ReadingMode
  }
}

extension Backbone {
  /// Reads the trunk of a weight file.
  ///
  /// A whole-model file brings its own network, whose classifier is cut off. A weights-only file must fit a family in
  /// code, as trunk alone or with the 1000 classes of ImageNet. Preprocessing that the family expects from outside
  /// becomes part of the network, unless the network begins with some already.
  ///
  /// - Parameters:
  ///   - source: A manifest's file or a path.
  ///   - size: The pictures' size; that of the file or family if nil.
  ///   - family: The family that the file's weights belong to; if nil, the file's own network or, where it has none, the
  ///     first family that takes all its weights.
  ///   - options: How arrays find their places and what may stay undone. Parameters that get no value because of that
  ///     start as fresh ones would, and the report says so.
  ///   - mode: How a file is read that is not a pretrained one.
  ///   - cutLayer: The last layer of the trunk; if nil, that of the family's last stage, or for an unknown network what
  ///     stands before its last global pooling or flatten.
  ///
  /// Where a family is named, the weights go into its network, whatever network the file holds itself.
  ///
  /// - Throws: `BackboneError` with code `unfitFile` where the file cannot be read or fits no family, `invalidOption`
  ///   where its network cannot take pictures of that size or be cut there.
  public init(
    _ source: PretrainedFolders.Resolution, size: Size2D? = nil, family wantedFamily: BackboneFamily? = nil,
    cutAt cutLayer: String? = nil, options: LoadOptions = .strict, mode: ReadingMode = .inProcess
  ) throws(BackboneError) {
    switch source {
    case .pretrained(let entry):
      path = entry.path
      model = entry.model
    case .file(let file):
      path = file
      model = nil
    }
    self.cutLayer = cutLayer
    loading = Loading(family: wantedFamily, options: options, mode: mode)
    let whole: Graph
    let ends: [(name: String, lastLayer: String)]
    do throws(WeightError) {
      let source = try KerasFile(path, mode: model == nil ? mode : .inProcess, inputSize: size)
      if try Self.takesOwnNetwork(of: source, family: wantedFamily, size: size, options: options) {
        let file = try source.read(inputSize: size, options: options)
        whole = file.graph
        weights = file.weights
        report = file.report
        let match = BackboneFamily.match(in: whole)
        family = match?.family
        ends = match?.stageEnds ?? model?.stageEnds.map { ($0.name, $0.lastLayer) } ?? []
      } else {
        let named = wantedFamily ?? model.flatMap { BackboneFamily.named($0.family) }
        let fit = try Self.fit(source, at: path, to: named, options: options)
        whole = fit.graph
        weights = fit.weights
        report = fit.report
        family = fit.family
        ends = fit.family.stageEnds
      }
    } catch {
      let place = error.object.map { "\($0): " } ?? ""
      throw BackboneError(.unfitFile, subject: error.file.isEmpty ? path : error.file, detail: place + error.detail)
    }
    preprocessing = whole.beginsWithPreprocessing ? .insideModel : model?.preprocessing ?? family?.preprocessing
    do throws(GraphError) {
      graph = try whole.trunk(stageEnds: ends, cutAt: cutLayer)
      if let size { graph = try graph.resized(to: [size.height, size.width, 3]) }
      if let preprocessing {
        try weights.embed(preprocessing, in: graph)
        graph = try graph.embedding(preprocessing)
      }
      let kept = Set(graph.parameters.map(\.path))
      weights.tensors = weights.tensors.filter { kept.contains($0.key) }
      startWhatIsMissing()
      try weights.check(against: graph)
    } catch {
      throw BackboneError(
        [.unfitInput, .unknownName].contains(error.code) ? .invalidOption : .unfitFile, subject: path,
        detail: error.description)
    }
  }

  /// Gives fresh values to the parameters for which the file had none.
  private mutating func startWhatIsMissing() {
    let missing = graph.parameters.map(\.path).filter { weights[$0] == nil }
    guard let first = missing.first else { return }
    let fresh = Weights.initial(for: graph, layers: Array(Set(missing.map(\.layer))), seed: 1)
    for path in missing { weights[path] = fresh[path] }
    let more = missing.count > 1 ? " and \(missing.count - 1) more" : ""
    report.warnings.append("\(first)\(more) start anew, for the file has nothing that fits.")
  }

  /// Whether a file has a network, and one of the family that was named, if one was.
  ///
  /// A model of a class of its own has a network that is not known here; its weights may fit that of a family all the same.
  package static func takesOwnNetwork(
    of file: KerasFile, family: BackboneFamily?, size: Size2D?, options: LoadOptions
  ) throws(WeightError) -> Bool {
    guard file.format == .wholeModelH5 || file.format == .keras else { return false }
    guard let family else { return true }
    do throws(WeightError) {
      let graph = try file.architecture(inputSize: size, options: options).graph
      return BackboneFamily.match(in: graph)?.family.name == family.name
    } catch {
      if [.unsupportedLayer, .invalidArchitecture, .noArchitecture].contains(error.code) { return false }
      throw error
    }
  }

  /// A family that takes the weights of a file.
  package struct Fit {
    /// The family's network.
    package let graph: Graph
    /// Its weights.
    package let weights: Weights
    /// What became of the file's arrays.
    package let report: LoadReport
    /// The family.
    package let family: BackboneFamily
    /// Whether the file has a classifier of 1000 classes.
    package let hasClassifier: Bool
  }

  /// The families whose weights a file is large enough for and not far too large, the nearest in size first.
  ///
  /// Numbers of half precision or squeezed ones take less than four bytes each; names and the state of an optimizer take
  /// some more.
  private static func families(ofSize size: Int) -> [BackboneFamily] {
    let distances = BackboneFamily.all.map { family in
      let counts = family.parameterCounts.map { [$0.trunk, $0.whole] } ?? []
      let fitting = counts.map { 4 * $0 }.filter { $0 * 2 / 5 < size && size < $0 * 2 + (8 << 20) }
      return (family: family, distance: fitting.map { abs(size - $0) }.min())
    }
    let fitting = distances.filter { $0.distance != nil }
    return fitting.sorted { ($0.distance ?? 0) < ($1.distance ?? 0) }.map(\.family)
  }

  /// The family whose network takes all weights of a file, as trunk alone or with the 1000 classes of ImageNet.
  ///
  /// - Parameter family: The only family that is tried, if it is known.
  /// - Throws: ``WeightError`` with `unfitWeights` where none does.
  package static func fit(
    _ file: KerasFile, at path: String, to family: BackboneFamily? = nil, options: LoadOptions = .strict
  ) throws(WeightError) -> Fit {
    let families = family.map { [$0] } ?? families(ofSize: file.byteCount)
    var first: WeightError?
    for family in families {
      for classCount in [nil, 1000] {
        guard let graph = try? family.graph(classCount: classCount) else { continue }
        do throws(WeightError) {
          let (weights, report) = try file.loadWeights(into: graph, options: options)
          return Fit(
            graph: graph, weights: weights, report: report, family: family, hasClassifier: classCount != nil)
        } catch {
          guard error.code == .unfitWeights else { throw error }
          first = first ?? error
        }
      }
    }
    if let first, family != nil { throw first }
    throw WeightError(
      .unfitWeights, file: path,
      detail: "holds weights without a network, and they fit none of the \(BackboneFamily.all.count) families in code, "
        + "with 1000 classes or without a classifier"
        + (families.isEmpty ? "" : "; where its family is named, the differences are told"))
  }
}

extension Graph {
  /// The network without its classifier, divided into stages.
  ///
  /// - Parameters:
  ///   - ends: The stages of its family, each with its last layer; none for an unknown one.
  ///   - cutLayer: The last layer of the trunk, if somebody has a wish.
  /// - Throws: `GraphError` with code `unknownName` or `unfitInput` where it cannot be cut there.
  package func trunk(
    stageEnds ends: [(name: String, lastLayer: String)], cutAt cutLayer: String?
  ) throws(GraphError) -> Graph {
    var whole = self
    if !ends.isEmpty { try whole.setStages(ends) }
    if let cutLayer {
      var trunk = whole.cut(at: [try cutPoint(cutLayer)])
      // A cut behind the family's last stage, or in a network of no family.
      let staged = Set(trunk.stages.flatMap(\.layers))
      if !trunk.layerNames.allSatisfy({ staged.contains($0) || trunk[layer: $0] is Input }) {
        trunk.stages = trunk.stagesByResolution()
      }
      return trunk
    }
    guard let last = ends.last?.lastLayer, let end = firstNode(of: last) else {
      var trunk = trunkEnd.map { whole.cut(at: [$0]) } ?? whole
      if trunk.stages.isEmpty { trunk.stages = trunk.stagesByResolution() }
      return trunk
    }
    // A normalisation at the end of a network without a classifier is part of the trunk.
    let behind = nodes.indices.filter { $0 > end }
    if !behind.isEmpty, behind.allSatisfy({ layer(of: $0) is LayerNormalization }), outputs.count == 1 {
      whole.extendLastStage()
      return whole
    }
    return whole.cut(at: [end])
  }
}
