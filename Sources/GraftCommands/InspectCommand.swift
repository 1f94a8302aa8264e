import ArgumentParser
import Graft

/// `graft inspect`: what is in a file, without running it.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show a file's layers, shapes, parameters and stages; nothing is run.",
    discussion: """
      A selection says what would train: all, none, head, trunk, stage:NAME, stages:last N and layer:NAME, joined by \
      " + " and " - ".

      Example:
        graft inspect pretrained/efficientnet-lite0.h5 --select "head + stages:last 2"
      """)

  @Argument(help: "A .h5, .weights.h5 or .keras file, or the name of a pretrained network.")
  var file: String

  @Option(help: "Also say which parameters a selection picks.", transform: { try ParameterSelection($0) })
  var select: ParameterSelection?

  @OptionGroup(title: "Loading options")
  var loading: LoadingArguments

  @Flag(help: "Print one JSON document.")
  var json = false

  func run() throws {
    let found = try Inspection(of: file, loading: loading)
    Console.note(found.report)
    let chosen = try select.map { try $0.resolve(in: found.graph, headLayers: found.headLayers) }
    if json {
      try Console.json(InspectionDocument(found, selected: chosen))
    } else {
      found.lines(selected: chosen).forEach(Console.result)
    }
  }
}

/// What is known about a file without its weights.
private struct Inspection {
  let format: KerasFormat
  let kerasVersion: String?
  let frozenLayers: Set<String>
  let graph: Graph
  let family: BackboneFamily?
  let headLayers: Set<String>
  /// What would become of the weights of a file if it were loaded.
  let report: LoadReport

  init(of name: String, loading: LoadingArguments) throws {
    let folders = try PretrainedFolders()
    let path: String
    var entry: PretrainedFolders.Entry?
    switch try folders.resolve(name) {
    case .pretrained(let found):
      path = found.path
      entry = found
    case .file(let file): path = file
    }
    format = try KerasFiles.format(of: path)
    guard format.holdsNetwork else {
      // Weights alone say nothing about layers: the family that they fit does.
      let backbone = try Backbone(.file(path), family: loading.namedFamily, options: loading.options)
      report = backbone.report
      kerasVersion = nil
      frozenLayers = []
      graph = backbone.graph
      family = backbone.family
      headLayers = []
      return
    }
    let architecture = try KerasFiles.readArchitecture(
      path, inputSize: entry?.model.inputSize, options: loading.options)
    report = try KerasFiles.matchWeights(of: path, options: loading.options)
    kerasVersion = architecture.kerasVersion
    frozenLayers = architecture.frozenLayers
    var graph = architecture.graph
    family = BackboneFamily.recognized(in: graph)
    if let bytes = architecture.graftDocument {
      let document = try ModelDocument(json: bytes, name: path)
      try document.check(against: graph, name: path)
      graph.stages = document.stages.map { Stage(name: $0.name, layers: $0.layers) }
      headLayers = Set(document.heads.flatMap(\.layers))
    } else {
      if let family, let staged = graph.staged(like: family) { graph = staged }
      if graph.stages.isEmpty { graph.stages = graph.stagesByResolution() }
      headLayers = graph.layersBehindTrunk
    }
    self.graph = graph
  }

  /// The file on a terminal.
  func lines(selected: Set<ParameterPath>?) -> [String] {
    var lines = [
      "format      \(format.rawValue)",
      "keras       \(kerasVersion ?? "not said")",
      "family      \(family?.title ?? "unknown")",
      "parameters  \(graph.parameterCount.grouped)",
      "inputs      \(graph.inputs.map(described).joined(separator: ", "))",
      "outputs     \(graph.outputs.map(described).joined(separator: ", "))",
      "stages      \(graph.stages.map(\.name).joined(separator: ", "))",
    ]
    if let selected {
      let count = graph.parameters.reduce(0) {
        selected.contains($1.path) ? $0 + $1.parameter.shape.elementCount : $0
      }
      lines.append("selected    \(count.grouped) numbers in \(selected.count) parameters, marked *")
    }
    lines.append("")
    var table = TextTable([
      ("layer", .left), ("kind", .left), ("output", .left), ("parameters", .right), ("", .left),
    ])
    for layer in layers {
      let isSelected = selected?.contains { $0.layer == layer.name } ?? false
      let marks = [isSelected ? "*" : "", layer.frozen ? "frozen" : ""].filter { !$0.isEmpty }
      table.add([
        layer.name, layer.kind, "\(Shape(layer.outputShape))", layer.parameters == 0 ? "" : layer.parameters.grouped,
        marks.joined(separator: " "),
      ])
    }
    return lines + table.lines
  }

  /// All layers in order.
  var layers: [InspectionDocument.Layer] {
    graph.layerNames.compactMap { name in
      guard let layer = graph[layer: name], let node = graph.firstNode(of: name) else { return nil }
      return InspectionDocument.Layer(
        name: name, kind: type(of: layer).kind, outputShape: graph.nodes[node].outputShape.dimensions,
        parameters: graph.parameters(of: name).reduce(0) { $0 + $1.shape.elementCount },
        frozen: frozenLayers.contains(name))
    }
  }

  private func described(_ node: Graph.Node.ID) -> String {
    "\(graph.nodes[node].layer) \(graph.nodes[node].outputShape)"
  }
}

/// The command's result.
private struct InspectionDocument: Encodable {
  /// What goes in or comes out.
  struct Port: Encodable {
    let name: String
    let shape: [Int]
  }

  /// A part of the network.
  struct Stage: Encodable {
    let name: String
    let layers: [String]
  }

  /// A layer.
  struct Layer: Encodable {
    let name: String
    let kind: String
    let outputShape: [Int]
    let parameters: Int
    let frozen: Bool
  }

  let format: String
  let kerasVersion: String?
  let family: String?
  let parameters: Int
  let inputs: [Port]
  let outputs: [Port]
  let stages: [Stage]
  let layers: [Layer]
  let selected: [String]?
  let loading: LoadingDocument

  init(_ inspection: Inspection, selected: Set<ParameterPath>?) {
    let graph = inspection.graph
    func port(_ node: Graph.Node.ID) -> Port {
      Port(name: graph.nodes[node].layer, shape: graph.nodes[node].outputShape.dimensions)
    }
    format = inspection.format.rawValue
    kerasVersion = inspection.kerasVersion
    family = inspection.family?.name
    parameters = graph.parameterCount
    inputs = graph.inputs.map(port)
    outputs = graph.outputs.map(port)
    stages = graph.stages.map { Stage(name: $0.name, layers: $0.layers) }
    layers = inspection.layers
    loading = LoadingDocument(inspection.report)
    self.selected = selected.map { $0.sorted().map(\.description) }
  }
}
