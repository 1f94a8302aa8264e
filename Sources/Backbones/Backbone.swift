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
  /// What its manifest says; nil for a file given by its path.
  public var model: PretrainedModel?
  /// What became of the arrays in the file.
  public var report: LoadReport
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
  ///   - family: The family that a weights-only file belongs to; the first that takes all its weights if nil.
  ///   - options: How arrays find their places and what may stay undone. Parameters that get no value because of that
  ///     start as fresh ones would, and the report says so.
  /// - Throws: `BackboneError` with code `unfitFile` where the file cannot be read or fits no family, `invalidOption`
  ///   where its network cannot take pictures of that size.
  public init(
    _ source: PretrainedFolders.Resolution, size: Size2D? = nil, family wantedFamily: BackboneFamily? = nil,
    options: LoadOptions = .strict
  ) throws(BackboneError) {
    switch source {
    case .pretrained(let entry):
      path = entry.path
      model = entry.model
    case .file(let file):
      path = file
      model = nil
    }
    let whole: Graph
    do throws(WeightError) {
      switch try KerasFiles.format(of: path) {
      case .wholeModelH5, .keras:
        let file = try KerasFiles.read(path, inputSize: size, options: options)
        whole = file.graph
        weights = file.weights
        report = file.report
        family = .recognized(in: whole)
      case .weightsOnlyH5, .weightsH5:
        let named = wantedFamily ?? model.flatMap { BackboneFamily.named($0.family) }
        let fit = try Self.fitWeights(of: path, to: named.map { [$0] } ?? BackboneFamily.all, options: options)
        whole = fit.graph
        weights = fit.weights
        report = fit.report
        family = fit.family
      }
    } catch {
      let place = error.object.map { "\($0): " } ?? ""
      throw BackboneError(.unfitFile, subject: error.file.isEmpty ? path : error.file, detail: place + error.detail)
    }
    preprocessing = whole.beginsWithPreprocessing ? .insideModel : model?.preprocessing ?? family?.preprocessing
    do throws(GraphError) {
      graph = try Self.trunk(of: whole, family: family, model: model)
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
        error.code == .unfitInput ? .invalidOption : .unfitFile, subject: path, detail: error.description)
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

  /// The network without its classifier, divided into stages.
  private static func trunk(
    of whole: Graph, family: BackboneFamily?, model: PretrainedModel?
  ) throws(GraphError) -> Graph {
    let ends = family?.stageEnds ?? model?.stageEnds.map { ($0.name, $0.lastLayer) } ?? []
    let last = ends.last.flatMap { whole.firstNode(of: $0.lastLayer) } ?? whole.trunkEnd
    var trunk = last.map { whole.cut(at: [$0]) } ?? whole
    if !ends.isEmpty {
      try trunk.setStages(ends)
    } else if trunk.stages.isEmpty {
      trunk.stages = trunk.stagesByResolution()
    }
    return trunk
  }

  /// The first family whose network takes all weights of a file.
  private static func fitWeights(
    of path: String, to families: [BackboneFamily], options: LoadOptions
  ) throws(WeightError) -> (graph: Graph, weights: Weights, report: LoadReport, family: BackboneFamily) {
    var first: WeightError?
    for family in families {
      for classCount in [nil, 1000] {
        guard let graph = try? family.graph(classCount: classCount) else { continue }
        do throws(WeightError) {
          let (weights, report) = try KerasFiles.loadWeights(path, into: graph, options: options)
          return (graph, weights, report, family)
        } catch {
          guard error.code == .unfitWeights else { throw error }
          first = first ?? error
        }
      }
    }
    if let first, families.count == 1 { throw first }
    let names = families.map(\.name).joined(separator: ", ")
    throw WeightError(
      .unfitWeights, file: path, detail: "holds weights without a network, and they fit none of the families \(names)")
  }
}
