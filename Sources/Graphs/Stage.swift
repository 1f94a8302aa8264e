import Tensors

/// A named part of a network: the layers between two others in the order from input to output.
public struct Stage: Hashable, Sendable {
  /// The stage's name, such as `stem` or `stage1`.
  public var name: String
  /// The names of its layers.
  public var layers: [String]

  /// A stage of the given layers.
  public init(name: String, layers: [String]) {
    self.name = name
    self.layers = layers
  }
}

extension Graph {
  /// Cuts the layers into consecutive stages, each given by its name and its last layer.
  ///
  /// What follows the last stage's end belongs to no stage: a classifier on top of the trunk.
  ///
  /// - Throws: `GraphError.Code.unknownName` where a layer does not exist or the ends are not in order.
  public mutating func setStages(_ ends: [(name: String, lastLayer: String)]) throws(GraphError) {
    var result: [Stage] = []
    var start = 0
    for (name, last) in ends {
      guard let end = layerNames[start...].firstIndex(of: last) else {
        throw GraphError(.unknownName, subject: "stage \(name)", detail: "no layer \(last) follows the stage before it")
      }
      let layers = layerNames[start...end].filter { !(self[layer: $0] is Input) }
      result.append(Stage(name: name, layers: layers))
      start = end + 1
    }
    stages = result
  }

  /// Stages for a network of an unknown family: a new one begins wherever the resolution falls.
  ///
  /// The first is `stem`, then `stage1`, `stage2` …; layers whose output is no image belong to none. A pooling that the
  /// images end in, with nothing behind it that could train, ends the stage before.
  public func stagesByResolution() -> [Stage] {
    var result: [Stage] = []
    var smallest = Int.max
    for name in layerNames {
      guard let node = firstNode(of: name), nodes[node].outputShape.rank == 3, !(self[layer: name] is Input) else {
        continue
      }
      let shape = nodes[node].outputShape
      // One pixel is what global pooling leaves, in squeeze-and-excitation blocks also in the middle of a stage.
      let pixels = shape[0] * shape[1]
      let falls = pixels > 1 && pixels <= smallest / 2 && smallest != Int.max
      if result.isEmpty || falls {
        result.append(Stage(name: result.isEmpty ? "stem" : "stage\(result.count)", layers: []))
      }
      if pixels > 1 { smallest = min(smallest, pixels) }
      result[result.count - 1].layers.append(name)
    }
    while result.count > 1, let last = result.last, last.layers.allSatisfy({ parameters(of: $0).isEmpty }) {
      result.removeLast()
      result[result.count - 1].layers += last.layers
    }
    return result
  }
}

/// A model that was nested in another before both were flattened into one graph; export nests it again.
public struct Module: Hashable, Sendable {
  /// The nested model's name with those of its parents, the prefix of its layers' names: `outer/inner`.
  public var path: String
  /// Keras's class name: `Functional` or `Sequential`.
  public var kind: String
  /// The names of its own input layers, without the prefix, in order.
  public var inputNames: [String]
  /// The nodes that its inputs stood for, in the same order.
  public var inputs: [Graph.Node.ID]
  /// The nodes that it contains.
  public var nodes: [Graph.Node.ID]
  /// The nodes that are its outputs.
  public var outputs: [Graph.Node.ID]

  /// A nested model's place in the graph.
  public init(
    path: String, kind: String, inputNames: [String], inputs: [Graph.Node.ID], nodes: [Graph.Node.ID],
    outputs: [Graph.Node.ID]
  ) {
    self.path = path
    self.kind = kind
    self.inputNames = inputNames
    self.inputs = inputs
    self.nodes = nodes
    self.outputs = outputs
  }
}
