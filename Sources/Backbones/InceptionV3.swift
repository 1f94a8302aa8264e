import Graphs
import Tensors

extension BackboneFamily {
  /// Blocks of parallel convolutions of several sizes.
  ///
  /// Szegedy et al., 2016. Its layers carry the numbers that Keras gives them in a fresh session, in the order in which they are made.
  public static let inceptionV3 = BackboneFamily(
    name: "inceptionv3", title: "InceptionV3", defaultSize: Size2D(299), minimumSize: Size2D(75), preprocessing: .tf,
    stageEnds: [
      (name: "stem", lastLayer: "max_pooling2d_1"), (name: "stage1", lastLayer: "mixed2"),
      (name: "stage2", lastLayer: "mixed7"), (name: "stage3", lastLayer: "mixed10"),
    ],
    graphName: { _ in "inception_v3" },
    trunk: { (graph, input) throws(GraphError) in
      var network = InceptionBuilder(graph: graph)
      let node = try network.trunk(on: input)
      graph = network.graph
      return node
    },
    top: { (graph, trunk, classCount) throws(GraphError) in
      let node = try graph.apply(GlobalAveragePooling2D(), named: "avg_pool", to: [trunk])
      return try graph.apply(Dense(units: classCount, activation: .softmax), named: "predictions", to: [node])
    })
}

/// Adds blocks to a graph and counts the layers of each kind, whose names they make.
private struct InceptionBuilder {
  typealias Node = Graph.Node.ID

  var graph: Graph
  private var counts: [String: Int] = [:]

  init(graph: Graph) { self.graph = graph }

  mutating func trunk(on input: Node) throws(GraphError) -> Node {
    var x = try conv(input, 32, 3, 3, stride: 2, padding: .valid)
    x = try conv(x, 32, 3, 3, padding: .valid)
    x = try conv(x, 64, 3, 3)
    x = try maximum(x)
    x = try conv(x, 80, 1, 1, padding: .valid)
    x = try conv(x, 192, 3, 3, padding: .valid)
    x = try maximum(x)
    for (index, poolFilters) in [32, 64, 64].enumerated() {
      x = try block35(x, poolFilters: poolFilters, name: "mixed\(index)")
    }
    x = try reduction17(x, name: "mixed3")
    for (index, filters) in [128, 160, 160, 192].enumerated() {
      x = try block17(x, filters: filters, name: "mixed\(index + 4)")
    }
    x = try reduction8(x, name: "mixed8")
    for index in 0..<2 { x = try block8(x, index: index) }
    return x
  }
}

// MARK: - Blocks

extension InceptionBuilder {
  /// 1x1, 5x5, two 3x3, and a pooling, side by side.
  private mutating func block35(_ x: Node, poolFilters: Int, name: String) throws(GraphError) -> Node {
    let small = try conv(x, 64, 1, 1)
    var large = try conv(x, 48, 1, 1)
    large = try conv(large, 64, 5, 5)
    var double = try conv(x, 64, 1, 1)
    double = try conv(double, 96, 3, 3)
    double = try conv(double, 96, 3, 3)
    let pooled = try conv(mean(x), poolFilters, 1, 1)
    return try graph.apply(Concatenate(), named: name, to: [small, large, double, pooled])
  }

  /// Half the resolution: 3x3, two 3x3, and a pooling.
  private mutating func reduction17(_ x: Node, name: String) throws(GraphError) -> Node {
    let single = try conv(x, 384, 3, 3, stride: 2, padding: .valid)
    var double = try conv(x, 64, 1, 1)
    double = try conv(double, 96, 3, 3)
    double = try conv(double, 96, 3, 3, stride: 2, padding: .valid)
    let pooled = try maximum(x)
    return try graph.apply(Concatenate(), named: name, to: [single, double, pooled])
  }

  /// 1x1, one and two 7x7 that are taken apart into rows and columns, and a pooling.
  private mutating func block17(_ x: Node, filters: Int, name: String) throws(GraphError) -> Node {
    let small = try conv(x, 192, 1, 1)
    var single = try conv(x, filters, 1, 1)
    single = try conv(single, filters, 1, 7)
    single = try conv(single, 192, 7, 1)
    var double = try conv(x, filters, 1, 1)
    double = try conv(double, filters, 7, 1)
    double = try conv(double, filters, 1, 7)
    double = try conv(double, filters, 7, 1)
    double = try conv(double, 192, 1, 7)
    let pooled = try conv(mean(x), 192, 1, 1)
    return try graph.apply(Concatenate(), named: name, to: [small, single, double, pooled])
  }

  /// Half the resolution: 3x3, 7x7 with 3x3, and a pooling.
  private mutating func reduction8(_ x: Node, name: String) throws(GraphError) -> Node {
    var single = try conv(x, 192, 1, 1)
    single = try conv(single, 320, 3, 3, stride: 2, padding: .valid)
    var double = try conv(x, 192, 1, 1)
    double = try conv(double, 192, 1, 7)
    double = try conv(double, 192, 7, 1)
    double = try conv(double, 192, 3, 3, stride: 2, padding: .valid)
    let pooled = try maximum(x)
    return try graph.apply(Concatenate(), named: name, to: [single, double, pooled])
  }

  /// 1x1, and 3x3 once and twice, each ending in a row and a column side by side, and a pooling.
  private mutating func block8(_ x: Node, index: Int) throws(GraphError) -> Node {
    let small = try conv(x, 320, 1, 1)
    let single = try conv(x, 384, 1, 1)
    let wide = try rowAndColumn(single, name: "mixed9_\(index)")
    var double = try conv(x, 448, 1, 1)
    double = try conv(double, 384, 3, 3)
    let deep = try rowAndColumn(double, name: numbered("concatenate"))
    let pooled = try conv(mean(x), 192, 1, 1)
    return try graph.apply(Concatenate(), named: "mixed\(9 + index)", to: [small, wide, deep, pooled])
  }

  private mutating func rowAndColumn(_ x: Node, name: String) throws(GraphError) -> Node {
    let row = try conv(x, 384, 1, 3)
    let column = try conv(x, 384, 3, 1)
    return try graph.apply(Concatenate(), named: name, to: [row, column])
  }
}

// MARK: - Layers

extension InceptionBuilder {
  /// A convolution without bias, its normalisation without gamma, and ReLU.
  private mutating func conv(
    _ x: Node, _ filters: Int, _ rows: Int, _ columns: Int, stride: Int = 1, padding: Padding = .same
  ) throws(GraphError) -> Node {
    let layer = Conv2D(
      filters: filters, kernelSize: Size2D(rows, columns), strides: Size2D(stride), padding: padding, usesBias: false)
    var node = try graph.apply(layer, named: numbered("conv2d"), to: [x])
    node = try graph.apply(BatchNormalization(scales: false), named: numbered("batch_normalization"), to: [node])
    return try graph.apply(Activation(.relu()), named: numbered("activation"), to: [node])
  }

  private mutating func maximum(_ x: Node) throws(GraphError) -> Node {
    try graph.apply(
      MaxPooling2D(poolSize: Size2D(3), strides: Size2D(2)), named: numbered("max_pooling2d"), to: [x])
  }

  private mutating func mean(_ x: Node) throws(GraphError) -> Node {
    let layer = AveragePooling2D(poolSize: Size2D(3), strides: Size2D(1), padding: .same)
    return try graph.apply(layer, named: numbered("average_pooling2d"), to: [x])
  }

  /// The next name for a layer of a kind: `conv2d`, `conv2d_1`, `conv2d_2`.
  private mutating func numbered(_ kind: String) -> String {
    let number = counts[kind, default: 0]
    counts[kind] = number + 1
    return number == 0 ? kind : "\(kind)_\(number)"
  }
}
