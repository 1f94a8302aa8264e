import Graft

extension Inspection {
  /// The file for a person on a terminal.
  func lines(selection: InspectedSelection?) -> [String] {
    var facts: [(String, String)] = [
      ("format", format.title + (kerasVersion.map { ", Keras \($0)" } ?? "")),
      ("family", family.map { "\($0.title): \(familyEvidence)" } ?? "unknown: \(familyEvidence)"),
      ("input", graph.inputs.map { described($0) }.joined(separator: ", ") + (hasFreeSize ? ", any size" : "")),
      ("preprocessing", preprocessingLine),
      ("output", graph.outputs.map { described($0) }.joined(separator: ", ")),
      ("parameters", "\(graph.parameterCount.grouped), of them \(statisticCount.grouped) statistics that never train"),
    ]
    let weighted = graph.layerNames.filter { !graph.parameters(of: $0).isEmpty }
    if !frozenLayers.isEmpty {
      facts.append(("frozen as saved", "\(frozenLayers.count) of \(weighted.count) layers with parameters"))
    }
    let head = graph.layerNames.filter(headLayers.contains)
    facts.append(("classifier", head.isEmpty ? "none: the network is a trunk" : shortened(head)))
    if let selection {
      facts.append(("selected", "\(selection.summary), marked * and listed below"))
    }
    let width = facts.reduce(0) { max($0, $1.0.count) } + 2
    let lines = facts.map { name, value in
      name + String(repeating: " ", count: width - name.count) + value
    }
    return lines + [""] + stageLines + [""] + layerLines(selection: selection)
      + (selection.map { [""] + $0.lines } ?? [])
  }

  private var stageLines: [String] {
    var table = TextTable([
      ("stage", .left), ("layers", .right), ("parameters", .right), ("last layer", .left), ("output", .left),
    ])
    for summary in stages {
      table.add([
        summary.stage.name, "\(summary.stage.layers.count)", summary.parameterCount.grouped,
        summary.stage.layers.last ?? "", summary.outputShape.map { "\($0)" } ?? "",
      ])
    }
    return table.lines
  }

  private func layerLines(selection: InspectedSelection?) -> [String] {
    var table = TextTable([
      ("layer", .left), ("kind", .left), ("output", .left), ("parameters", .right), ("", .left),
    ])
    let chosen = Set((selection?.parameters ?? []).map(\.layer))
    for name in graph.layerNames {
      guard let layer = graph[layer: name], let node = graph.firstNode(of: name) else { continue }
      let count = parameterCount(of: name)
      let marks = [chosen.contains(name) ? "*" : "", frozenLayers.contains(name) ? "frozen" : ""]
      table.add([
        name, type(of: layer).kind, "\(graph.nodes[node].outputShape)", count == 0 ? "" : count.grouped,
        marks.filter { !$0.isEmpty }.joined(separator: " "),
      ])
    }
    return table.lines
  }

  private var preprocessingLine: String {
    guard let preprocessing else {
      return "unknown: the network gets pixels from 0 to 255 as they are, unless you rescale them"
    }
    guard preprocessing == .insideModel else {
      return "\(preprocessing.formula), expected from outside; in training it becomes part of the network"
    }
    return "inside the network (\(graph.preparingLayers.joined(separator: ", "))): it takes RGB from 0 to 255"
  }

  private func described(_ node: Graph.Node.ID) -> String {
    "\(graph.nodes[node].layer) \(graph.nodes[node].outputShape)"
  }

  private func shortened(_ names: [String]) -> String {
    names.count <= 6
      ? names.joined(separator: ", ")
      : names.prefix(3).joined(separator: ", ") + " … \(names[names.count - 1]), \(names.count) layers"
  }
}

extension Preprocessing {
  /// What happens to a picture, in a few words.
  var formula: String {
    switch self {
    case .caffe: "blue, green, red, each minus its mean over ImageNet"
    case .tf: "x / 127.5 − 1"
    case .torch: "x / 255, minus mean and divided by deviation over ImageNet"
    case .insideModel: "none"
    }
  }
}

extension KerasFormat {
  /// The kind of file in words.
  fileprivate var title: String {
    switch self {
    case .wholeModelH5: "whole model in HDF5"
    case .weightsOnlyH5: "weights alone in HDF5, the form before Keras 3"
    case .keras: "whole model in a .keras archive"
    case .weightsH5: "weights alone in HDF5, the form of Keras 3"
    }
  }
}
