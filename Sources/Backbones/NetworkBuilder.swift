import Graphs
import Tensors

/// A network while it is built, in the words that families are described with.
///
/// Every verb puts layers behind a node and returns the node of the last one. Windows, strides and counts are Keras's.
struct NetworkBuilder {
  typealias Node = Graph.Node.ID

  /// What there is so far.
  private(set) var graph: Graph
  private var counts: [String: Int] = [:]

  /// A network without layers.
  init(name: String) { graph = Graph(name: name) }
}

// MARK: - Nodes

extension NetworkBuilder {
  /// The place where pictures come in.
  mutating func input(_ size: Size2D, channels: Int, _ name: String) throws(GraphError) -> Node {
    try graph.addInput(Input(shape: [size.height, size.width, channels]), named: name)
  }

  /// Applies a new layer.
  mutating func add(_ layer: any Layer, _ name: String, to inputs: Node...) throws(GraphError) -> Node {
    try graph.apply(layer, named: name, to: inputs)
  }

  /// Applies a layer that joins several nodes.
  mutating func join(_ layer: any Layer, _ name: String, _ inputs: [Node]) throws(GraphError) -> Node {
    try graph.apply(layer, named: name, to: inputs)
  }

  /// The next name that Keras gives by itself in a fresh session: `conv2d`, `conv2d_1`, `conv2d_2`.
  mutating func numbered(_ stem: String) -> String {
    let number = counts[stem, default: 0]
    counts[stem] = number + 1
    return number == 0 ? stem : "\(stem)_\(number)"
  }

  /// A `Sequential` model inside the model, whose layers carry its name in front of theirs.
  mutating func nested(
    _ name: String, on input: Node, _ layers: [(layer: any Layer, name: String)]
  ) throws(GraphError) -> Node {
    var nodes: [Node] = []
    for (layer, inner) in layers { nodes.append(try add(layer, "\(name)/\(inner)", to: nodes.last ?? input)) }
    let output = nodes.last ?? input
    graph.modules.append(
      Module(
        path: name, kind: "Sequential", inputNames: ["input_layer"], inputs: [input], nodes: nodes, outputs: [output]))
    return output
  }

  /// How many channels come out of a node.
  func channels(of node: Node) -> Int { graph.nodes[node].outputShape[-1] }

  /// Height and width of what comes out of a node.
  func size(of node: Node) -> Size2D { Size2D(graph.nodes[node].outputShape[0], graph.nodes[node].outputShape[1]) }

  /// The network with the given result.
  func finished(_ output: Node) -> Graph {
    var result = graph
    result.outputs = [output]
    return result
  }
}

// MARK: - Layers

extension NetworkBuilder {
  /// A square convolution, without a bias unless asked for.
  mutating func conv(
    _ x: Node, _ filters: Int, _ window: Int, stride: Int = 1, padding: Padding = .same, bias: Bool = false,
    activation: ActivationFunction = .linear, _ name: String
  ) throws(GraphError) -> Node {
    let layer = Conv2D(
      filters: filters, kernelSize: Size2D(window), strides: Size2D(stride), padding: padding, usesBias: bias,
      activation: activation)
    return try add(layer, name, to: x)
  }

  /// A convolution of each channel by itself.
  mutating func depthwise(
    _ x: Node, _ window: Int, stride: Int = 1, padding: Padding = .same, _ name: String
  ) throws(GraphError) -> Node {
    let layer = DepthwiseConv2D(
      kernelSize: Size2D(window), strides: Size2D(stride), padding: padding, usesBias: false)
    return try add(layer, name, to: x)
  }

  /// A convolution of each channel by itself, and a 1x1 convolution over them.
  mutating func separable(
    _ x: Node, _ filters: Int, _ window: Int, stride: Int = 1, padding: Padding = .same, _ name: String
  ) throws(GraphError) -> Node {
    let layer = SeparableConv2D(
      filters: filters, kernelSize: Size2D(window), strides: Size2D(stride), padding: padding, usesBias: false)
    return try add(layer, name, to: x)
  }

  /// A batch normalisation.
  mutating func normalized(
    _ x: Node, epsilon: Float = 1e-3, momentum: Float = 0.99, scales: Bool = true, _ name: String
  ) throws(GraphError) -> Node {
    try add(BatchNormalization(momentum: momentum, epsilon: epsilon, scales: scales), name, to: x)
  }

  /// An activation as a layer of its own.
  mutating func activated(_ x: Node, _ function: ActivationFunction, _ name: String) throws(GraphError) -> Node {
    try add(Activation(function), name, to: x)
  }

  /// The largest of each window, which stays inside the image.
  mutating func maxPooled(
    _ x: Node, _ window: Int, stride: Int, padding: Padding = .valid, _ name: String
  ) throws(GraphError) -> Node {
    try add(MaxPooling2D(poolSize: Size2D(window), strides: Size2D(stride), padding: padding), name, to: x)
  }

  /// The mean of each window.
  mutating func meanPooled(
    _ x: Node, _ window: Int, stride: Int = 1, padding: Padding = .same, _ name: String
  ) throws(GraphError) -> Node {
    try add(AveragePooling2D(poolSize: Size2D(window), strides: Size2D(stride), padding: padding), name, to: x)
  }

  /// What `same` padding would add for a stride of 2, in a layer of its own: one row less above where the height is even.
  mutating func paddedForStride(_ x: Node, window: Int, _ name: String) throws(GraphError) -> Node {
    let size = size(of: x)
    let half = window / 2
    let padding = Insets2D(
      top: half - 1 + size.height % 2, bottom: half, left: half - 1 + size.width % 2, right: half)
    return try add(ZeroPadding2D(padding: padding), name, to: x)
  }

  /// The usual classifier: the mean of each channel, perhaps a dropout, and a dense layer ending in softmax.
  mutating func classified(
    _ x: Node, _ classCount: Int, pooling: String = "avg_pool", dropout: (rate: Float, name: String)? = nil
  ) throws(GraphError) -> Node {
    var x = try add(GlobalAveragePooling2D(), pooling, to: x)
    if let dropout { x = try add(Dropout(rate: dropout.rate), dropout.name, to: x) }
    return try add(Dense(units: classCount, activation: .softmax), "predictions", to: x)
  }
}

/// The multiple of 8 nearest to a channel count, at least 8, and never more than a tenth below it.
func roundedChannels(_ count: Double) -> Int {
  let rounded = max(8, Int(count + 4) / 8 * 8)
  return Double(rounded) < 0.9 * count ? rounded + 8 : rounded
}
