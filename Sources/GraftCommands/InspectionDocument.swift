import Graft

/// What `graft inspect --json` prints.
struct InspectionDocument: Encodable {
  /// What goes in or comes out.
  struct Port: Encodable {
    let name: String
    let shape: [Int]
  }

  /// The pictures that go in.
  struct Picture: Encodable {
    let height: Int
    let width: Int
    let channels: Int
    let hasFreeSize: Bool
  }

  /// What happens to pictures before the first convolution.
  struct Preparation: Encodable {
    let mode: String
    let isInsideModel: Bool
    let formula: String?
    let layers: [String]
  }

  /// A part of the network.
  struct Stage: Encodable {
    let name: String
    let layers: [String]
    let parameters: Int
    let outputShape: [Int]?
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
  let familyEvidence: String
  let preprocessing: Preparation?
  let input: Picture?
  let parameters: Int
  let statistics: Int
  let inputs: [Port]
  let outputs: [Port]
  let stages: [Stage]
  let headLayers: [String]
  let layers: [Layer]
  let selection: InspectedSelection?
  let loading: LoadingSummary

  init(_ inspection: Inspection, selection: InspectedSelection?) {
    let graph = inspection.graph
    func port(_ node: Graph.Node.ID) -> Port {
      Port(name: graph.nodes[node].layer, shape: graph.nodes[node].outputShape.dimensions)
    }
    format = inspection.format.rawValue
    kerasVersion = inspection.kerasVersion
    family = inspection.family?.name
    familyEvidence = inspection.familyEvidence
    preprocessing = inspection.preprocessing.map { mode in
      let isInside = mode == .insideModel
      return Preparation(
        mode: mode.rawValue, isInsideModel: isInside, formula: isInside ? nil : mode.formula,
        layers: isInside ? inspection.graph.preparingLayers : [])
    }
    input = graph.inputs.first.map { graph.nodes[$0].outputShape }.flatMap { shape in
      shape.rank == 3 && graph.inputs.count == 1
        ? Picture(height: shape[0], width: shape[1], channels: shape[2], hasFreeSize: inspection.hasFreeSize) : nil
    }
    parameters = graph.parameterCount
    statistics = inspection.statisticCount
    inputs = graph.inputs.map(port)
    outputs = graph.outputs.map(port)
    stages = inspection.stages.map {
      Stage(
        name: $0.stage.name, layers: $0.stage.layers, parameters: $0.parameterCount,
        outputShape: $0.outputShape?.dimensions)
    }
    headLayers = graph.layerNames.filter(inspection.headLayers.contains)
    layers = graph.layerNames.compactMap { name in
      guard let layer = graph[layer: name], let node = graph.firstNode(of: name) else { return nil }
      return Layer(
        name: name, kind: type(of: layer).kind, outputShape: graph.nodes[node].outputShape.dimensions,
        parameters: inspection.parameterCount(of: name), frozen: inspection.frozenLayers.contains(name))
    }
    self.selection = selection
    loading = LoadingSummary(inspection.report)
  }
}
