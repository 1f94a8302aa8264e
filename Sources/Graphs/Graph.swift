import Tensors

/// A network as a value: layers by name, and nodes that apply them in topological order.
///
/// Several nodes may apply one layer; they share its parameters. Every node has one output. Shapes are known for every
/// node at any time, so a graph that exists is a graph whose shapes fit.
public struct Graph: Sendable {
  /// One application of a layer.
  public struct Node: Hashable, Sendable {
    /// The position of a node in `nodes`.
    public typealias ID = Int

    /// The name of the layer that is applied.
    public var layer: String
    /// The nodes whose outputs go in, in the layer's order.
    public var inputs: [ID]
    /// The shape of one sample of the output.
    public var outputShape: Shape
  }

  /// The name of the network.
  public var name: String
  /// All nodes; each stands after its inputs.
  public private(set) var nodes: [Node] = []
  /// The names of all layers in the order in which they were first applied.
  public private(set) var layerNames: [String] = []
  /// The nodes whose values are fed from outside, in order.
  public private(set) var inputs: [Node.ID] = []
  /// The nodes whose values are the result, in order.
  public var outputs: [Node.ID] = []
  /// Consecutive parts of the network from input to output; empty where nobody has said.
  public var stages: [Stage] = []
  /// Where models were nested before they were flattened into this graph.
  public var modules: [Module] = []

  private var layersByName: [String: any Layer] = [:]
  private var firstNodes: [String: Node.ID] = [:]

  /// A graph without nodes.
  public init(name: String) { self.name = name }
}

// MARK: - Building

extension Graph {
  /// Adds an input for samples of the given shape.
  ///
  /// - Throws: `GraphError.Code.duplicateName`.
  @discardableResult
  public mutating func addInput(_ input: Input, named name: String) throws(GraphError) -> Node.ID {
    let node = try apply(input, named: name, to: [])
    inputs.append(node)
    return node
  }

  /// Applies a new layer to the outputs of nodes that are already there.
  ///
  /// - Throws: `GraphError` with code `duplicateName`, `unfitInput` or `invalidOption`.
  @discardableResult
  public mutating func apply(
    _ layer: any Layer, named name: String, to inputs: [Node.ID]
  ) throws(GraphError) -> Node.ID {
    guard layersByName[name] == nil else {
      throw GraphError(.duplicateName, subject: name, detail: "two layers have this name")
    }
    let node = try addNode(layer, named: name, to: inputs)
    layersByName[name] = layer
    layerNames.append(name)
    firstNodes[name] = node
    return node
  }

  /// Applies a layer that the graph has already to other inputs, with the same parameters.
  ///
  /// - Throws: `GraphError` with code `unknownName`, `unfitInput`, or `unfitParameter` where its parameters would have
  ///   other shapes than before.
  @discardableResult
  public mutating func applyAgain(_ name: String, to inputs: [Node.ID]) throws(GraphError) -> Node.ID {
    guard let layer = layersByName[name], let first = firstNodes[name] else {
      throw GraphError(.unknownName, subject: name, detail: "no layer has this name")
    }
    let shapes = inputs.map { nodes[$0].outputShape }
    let before = try layer.parameters(for: nodes[first].inputs.map { nodes[$0].outputShape })
    guard try layer.parameters(for: shapes) == before else {
      throw GraphError(.unfitParameter, subject: name, detail: "inputs \(shapes) would need parameters of other shapes")
    }
    return try addNode(layer, named: name, to: inputs)
  }

  private mutating func addNode(
    _ layer: any Layer, named name: String, to inputs: [Node.ID]
  ) throws(GraphError) -> Node.ID {
    precondition(inputs.allSatisfy { nodes.indices.contains($0) }, "a node's inputs stand before it")
    do throws(GraphError) {
      let shapes = inputs.map { nodes[$0].outputShape }
      let shape = try layer.outputShape(for: shapes)
      guard shape.isPlausible else {
        throw GraphError(.unfitInput, subject: name, detail: "its output \(shape) is too large")
      }
      for parameter in try layer.parameters(for: shapes) where !parameter.shape.isPlausible {
        throw GraphError(.unfitInput, subject: name, detail: "its \(parameter.name) \(parameter.shape) is too large")
      }
      nodes.append(Node(layer: name, inputs: inputs, outputShape: shape))
      return nodes.count - 1
    } catch {
      throw GraphError(error.code, subject: name, detail: error.detail)
    }
  }
}

extension Shape {
  /// Whether the number of elements can be counted and could ever be held.
  fileprivate var isPlausible: Bool {
    var count = 1
    for extent in dimensions {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      if overflow || product > 1 << 40 || extent > 1 << 31 { return false }
      count = product
    }
    return true
  }
}

// MARK: - Asking

extension Graph {
  /// The layer of the given name.
  public subscript(layer name: String) -> (any Layer)? { layersByName[name] }

  /// The layer that a node applies.
  public func layer(of node: Node.ID) -> any Layer {
    guard let layer = layersByName[nodes[node].layer] else {
      preconditionFailure("every node's layer is in the table")
    }
    return layer
  }

  /// The shapes of one sample of every input of a node.
  public func inputShapes(of node: Node.ID) -> [Shape] { nodes[node].inputs.map { nodes[$0].outputShape } }

  /// The first node that applies the layer of this name.
  public func firstNode(of layer: String) -> Node.ID? { firstNodes[layer] }

  /// The parameters of one layer in Keras's order; none for an unknown name.
  public func parameters(of layer: String) -> [Parameter] {
    guard let value = layersByName[layer], let node = firstNodes[layer] else { return [] }
    // The layer gave its parameters for the same shapes when the node was added.
    return (try? value.parameters(for: inputShapes(of: node))) ?? []
  }

  /// The paths and descriptions of all parameters, in the order of the layers.
  public var parameters: [(path: ParameterPath, parameter: Parameter)] {
    layerNames.flatMap { layer in parameters(of: layer).map { (ParameterPath(layer, $0.name), $0) } }
  }

  /// How many numbers all parameters hold, statistics included.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.parameter.shape.elementCount } }
}

extension Graph: Hashable {
  /// Whether both have the same layers, nodes, outputs and stages.
  public static func == (left: Graph, right: Graph) -> Bool {
    left.name == right.name && left.nodes == right.nodes && left.layerNames == right.layerNames
      && left.inputs == right.inputs && left.outputs == right.outputs && left.stages == right.stages
      && left.modules == right.modules
      && left.layerNames.allSatisfy { left.hashableLayer($0) == right.hashableLayer($0) }
  }

  /// Feeds the nodes and layers to the hasher.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(nodes)
    for name in layerNames { hasher.combine(hashableLayer(name)) }
  }

  private func hashableLayer(_ name: String) -> AnyHashable? { layersByName[name].map { AnyHashable($0) } }
}
