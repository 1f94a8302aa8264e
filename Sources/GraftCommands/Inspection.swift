import Graft

/// What is known about a file without running its network.
struct Inspection {
  /// The kind of file.
  let format: KerasFormat
  /// The version of Keras that wrote it, if it says so.
  let kerasVersion: String?
  /// The layers with parameters that the file says are frozen.
  let frozenLayers: Set<String>
  /// The network, with stages.
  let graph: Graph
  /// The family that it was recognised as; nil for an unknown one.
  let family: BackboneFamily?
  /// What speaks for the family, or why there is none.
  let familyEvidence: String
  /// What happens to a picture before the network; nil where nobody knows.
  let preprocessing: Preprocessing?
  /// The layers of the classifier, which a new head replaces.
  let headLayers: Set<String>
  /// What would become of the weights of the file if it were loaded.
  let report: LoadReport
  /// Why the weights could not be loaded; nil where they can.
  let failure: WeightError?

  /// Looks into a file, or that of a pretrained network.
  ///
  /// - Throws: The error of whatever failed, whose description is one sentence.
  init(of name: String, cutAt cutLayer: String?, loading: LoadingArguments, mode: ReadingMode) throws {
    let folders = try PretrainedFolders()
    let path: String
    var entry: PretrainedFolders.Entry?
    switch try folders.resolve(name) {
    case .pretrained(let found):
      path = found.path
      entry = found
    case .file(let file): path = file
    }
    let mode = entry == nil ? mode : .inProcess
    let source = try KerasFile(path, mode: mode, wanted: .checkedShapes, inputSize: entry?.model.inputSize)
    format = source.format
    var graph: Graph
    var ends: [(name: String, lastLayer: String)] = []
    var document: ModelDocument?
    let size = entry?.model.inputSize
    if try Backbone.takesOwnNetwork(of: source, family: loading.namedFamily, size: size, options: loading.options) {
      let architecture = try source.architecture(inputSize: size, options: loading.options)
      (report, failure) = try source.fitWeights(inputSize: size, options: loading.options)
      kerasVersion = architecture.kerasVersion
      frozenLayers = architecture.frozenLayers
      graph = architecture.graph
      document = try architecture.graftDocument.map { try ModelDocument(json: $0, name: path) }
      try document?.check(against: graph, name: path)
      let match = BackboneFamily.match(in: graph)
      family = match?.family
      familyEvidence = match?.evidence ?? "no family in code has such layers"
      ends = match?.stageEnds ?? []
    } else {
      // Weights alone say nothing about layers: the family that they fit does.
      let fit = try Backbone.fit(
        KerasFile(path, mode: mode), at: path, to: loading.namedFamily, options: loading.options)
      report = fit.report
      failure = nil
      kerasVersion = nil
      frozenLayers = []
      graph = fit.graph
      family = fit.family
      familyEvidence =
        "its weights fill every parameter of this family "
        + (fit.hasClassifier ? "with a classifier of 1000 classes" : "without a classifier")
      ends = fit.family.stageEnds
    }
    preprocessing = graph.beginsWithPreprocessing ? .insideModel : entry?.model.preprocessing ?? family?.preprocessing
    if let document, cutLayer == nil {
      graph.stages = document.stages.map { Stage(name: $0.name, layers: $0.layers) }
      headLayers = Set(document.heads.flatMap(\.layers))
    } else {
      let trunk = try graph.trunk(stageEnds: ends, cutAt: cutLayer)
      graph.stages = trunk.stages
      headLayers = Set(graph.layerNames.filter { trunk[layer: $0] == nil })
    }
    self.graph = graph
  }
}

// MARK: - Asking

extension Inspection {
  /// A stage with what comes out of it.
  struct StageSummary {
    let stage: Stage
    let parameterCount: Int
    let outputShape: Shape?
  }

  /// The stages from input to output.
  var stages: [StageSummary] {
    graph.stages.map { stage in
      StageSummary(
        stage: stage,
        parameterCount: stage.layers.reduce(0) { $0 + parameterCount(of: $1) },
        outputShape: stage.layers.last.flatMap { graph.firstNode(of: $0) }.map { graph.nodes[$0].outputShape })
    }
  }

  /// How many numbers are statistics, which never train.
  var statisticCount: Int {
    graph.parameters.reduce(0) { $1.parameter.isTrainable ? $0 : $0 + $1.parameter.shape.elementCount }
  }

  /// How many numbers a layer holds.
  func parameterCount(of layer: String) -> Int {
    graph.parameters(of: layer).reduce(0) { $0 + $1.shape.elementCount }
  }

  /// The axes of the picture that the file leaves open.
  var hasFreeSize: Bool {
    guard let input = graph.inputs.first, let layer = graph.layer(of: input) as? Input else { return false }
    return !layer.freeAxes.isEmpty
  }
}
