import Graft

/// What trains in a measurement.
enum BenchSelection: Hashable, Sendable, CustomStringConvertible {
  /// Nothing: inference.
  case none
  /// The classifier.
  case head
  /// Everything after the last fall in resolution.
  case lastStage
  /// Everything.
  case all
  /// Anything else.
  case other(ParameterSelection)

  /// The selection of a command line.
  ///
  /// - Throws: `ScheduleError.Code.syntax`.
  init(_ text: String) throws(ScheduleError) {
    switch text {
    case "none": self = .none
    case "head": self = .head
    case "last-stage": self = .lastStage
    case "all": self = .all
    default: self = .other(try ParameterSelection(text))
    }
  }

  /// The selection as it is written on a command line.
  var description: String {
    switch self {
    case .none: "none"
    case .head: "head"
    case .lastStage: "last-stage"
    case .all: "all"
    case .other(let selection): "\(selection)"
    }
  }

  /// The parameters that are meant.
  ///
  /// - Throws: `ScheduleError` where the network has no such parameters.
  func resolve(in graph: Graph, headLayers: Set<String>) throws(ScheduleError) -> Set<ParameterPath> {
    switch self {
    case .none: return []
    case .head: return try ParameterSelection.head.resolve(in: graph, headLayers: headLayers)
    case .all: return try ParameterSelection.all.resolve(in: graph, headLayers: headLayers)
    case .other(let selection): return try selection.resolve(in: graph, headLayers: headLayers)
    case .lastStage:
      var staged = graph
      staged.stages = graph.stagesByResolution()
      let last = try ParameterSelection.stages(last: 1).resolve(in: staged, headLayers: headLayers)
      let head = graph.parameters.filter { headLayers.contains($0.path.layer) && $0.parameter.isTrainable }
      return last.union(head.map(\.path))
    }
  }
}

/// A network that is measured.
struct BenchSubject: Sendable {
  /// The network, ending in logits.
  let graph: Graph
  /// Its weights.
  let weights: Weights
  /// The layers of its classifier.
  let headLayers: Set<String>
  /// What a user may want to know, a sentence each.
  let notes: [String]
  /// What became of the weights of the file; nil for generated ones.
  let loading: LoadingSummary?

  /// A finished model as it is; or the trunk of a file, a pretrained network or a family, with a head of a thousand classes.
  ///
  /// A family without a file gets generated weights.
  init(
    _ name: String, imageSize: Size2D?, cutAt cutLayer: String?, loading arguments: LoadingArguments, mode: ReadingMode
  ) throws {
    let folders = try PretrainedFolders()
    let isHere = (try? folders.resolve(name)) != nil
    var model: Model
    if isHere, cutLayer == nil, arguments.given.isEmpty,
      let finished = try BenchSubject.finished(name, folders: folders, mode: mode)
    {
      model = finished.model
      loading = LoadingSummary(finished.report)
      notes = []
      if let imageSize { model.graph = try model.graph.resized(to: [imageSize.height, imageSize.width, 3]) }
    } else if !isHere, let family = BackboneFamily.named(name) {
      guard arguments.given.isEmpty else {
        throw CommandFailure(
          "\(name): is a family without a file here, so it gets generated weights, which need no "
            + arguments.given.joined(separator: " and no "))
      }
      loading = nil
      let trunk = try family.graph(size: imageSize).trunk(stageEnds: family.stageEnds, cutAt: cutLayer)
        .embedding(family.preprocessing)
      model = try BenchSubject.headed(
        trunk, weights: .generated(for: trunk), imageSize: imageSize ?? family.defaultSize)
      notes = ["\(family.title) with generated weights"]
    } else {
      let backbone = try Backbone.load(
        name, in: folders, family: arguments.namedFamily, cutAt: cutLayer, options: arguments.options, mode: mode)
      Console.note(backbone.report)
      loading = LoadingSummary(backbone.report)
      model = try BenchSubject.headed(
        backbone.graph, weights: backbone.weights, imageSize: imageSize ?? backbone.imageSize)
      notes = []
    }
    graph = try model.logitsGraph()
    weights = model.weights
    headLayers = Set(model.heads.flatMap(\.layers))
  }

  /// The model of a file that carries a document of Graft; nil for any other file.
  private static func finished(
    _ name: String, folders: PretrainedFolders, mode: ReadingMode
  ) throws -> (model: Model, report: LoadReport)? {
    guard case .file(let path) = try folders.resolve(name) else { return nil }
    let file = try KerasFile(path, mode: mode, wanted: .shapes)
    guard file.format.holdsNetwork, file.graftDocument != nil else { return nil }
    return (try Model.read(path, mode: mode), try file.matchWeights())
  }

  private static func headed(_ trunk: Graph, weights: Weights, imageSize: Size2D) throws -> Model {
    let task = TaskDescription(kind: .classification(classes: (0..<1000).map { "\($0)" }))
    return try Model.fineTuning(trunk, weights: weights, tasks: [task], imageSize: imageSize, seed: 1)
  }
}

/// One thing to measure.
struct BenchWorkload: Sendable {
  /// The network with its weights.
  let subject: BenchSubject
  /// What trains, as the user said it.
  let selection: BenchSelection
  /// What trains.
  let trainable: Set<ParameterPath>
  /// The pictures of a step.
  let batchSize: Int
  /// The pictures that are computed at once; nil leaves it to a measurement.
  let microBatchSize: Int?
  /// Where batch normalisation that trains takes its statistics from.
  let batchNormalization: PlanOptions.BatchNormalizationMode
  /// What images are computed with.
  let precision: PlanOptions.Precision
  /// What plans leave undone.
  let without: Set<PlanOptions.Pass>
  /// The most memory that a plan may take, in bytes; nil for as much as is fastest.
  let memoryBudget: Int?

  /// A workload on a network.
  ///
  /// - Throws: `ScheduleError` where the network has no such parameters.
  init(
    _ subject: BenchSubject, selection: BenchSelection, batchSize: Int, microBatchSize: Int?,
    batchNormalization: PlanOptions.BatchNormalizationMode, precision: PlanOptions.Precision,
    without: Set<PlanOptions.Pass> = [], memoryBudget: Int? = nil
  ) throws {
    self.subject = subject
    self.selection = selection
    self.batchSize = batchSize
    self.batchNormalization = batchNormalization
    self.precision = precision
    self.without = without
    self.memoryBudget = memoryBudget
    trainable = try selection.resolve(in: subject.graph, headLayers: subject.headLayers)
    // The samples of a batch know each other by their statistics: it cannot be cut.
    let isWhole = batchNormalization == .trainingStatistics && selection != .none || without.contains(.microBatch)
    self.microBatchSize = isWhole ? batchSize : microBatchSize
  }

  /// How a plan for so many pictures is compiled.
  func options(microBatchSize: Int) -> PlanOptions {
    let layers = Set(trainable.map(\.layer))
    return PlanOptions(
      batchSize: microBatchSize, trainable: trainable, trainingLayers: layers, batchNormalization: batchNormalization,
      precision: precision, without: without, memoryBudget: memoryBudget)
  }

  /// How the plan of what is frozen before that is compiled.
  func frozenOptions(for microBatchSize: Int) -> PlanOptions {
    let most = without.contains(.microBatch) ? batchSize : TrainingOptions().frozenMicroBatchSize
    return PlanOptions(
      batchSize: min(microBatchSize, most), precision: precision, without: without, memoryBudget: memoryBudget)
  }

  /// What trains and what is frozen before it; nil for inference.
  var frontier: Frontier? {
    guard !trainable.isEmpty else { return nil }
    return Frontier(
      subject.graph, trainable: trainable, trainingLayers: Set(trainable.map(\.layer)),
      usesBatchStatistics: batchNormalization == .trainingStatistics)
  }

  /// How many numbers train.
  var trainableCount: Int {
    subject.graph.parameters.reduce(0) {
      trainable.contains($1.path) ? $0 + $1.parameter.shape.elementCount : $0
    }
  }
}
