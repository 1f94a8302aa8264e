import Graphs
import Tensors

extension BackboneFamily {
  /// Blocks of parallel convolutions of several sizes.
  ///
  /// Szegedy et al., 2016. Its layers carry the numbers that Keras gives them in a fresh session, in the order in which
  /// they are made.
  public static let inceptionV3 = BackboneFamily(
    name: "inceptionv3", title: "InceptionV3", defaultSize: Size2D(299), minimumSize: Size2D(75), preprocessing: .tf,
    parameterCounts: ParameterCounts(21_802_784, 23_851_784),
    stageEnds: [
      ("stem", "max_pooling2d_1"), ("stage1", "mixed2"), ("stage2", "mixed7"), ("stage3", "mixed10"),
    ], graphName: { _ in "inception_v3" },
    trunk: { (network, x) throws(GraphError) in
      var x = try network.inceptionStem(x)
      for (index, poolFilters) in [32, 64, 64].enumerated() {
        x = try network.block35(x, poolFilters: poolFilters, name: "mixed\(index)")
      }
      x = try network.reduction17(x, name: "mixed3")
      for (index, filters) in [128, 160, 160, 192].enumerated() {
        x = try network.block17(x, filters: filters, name: "mixed\(index + 4)")
      }
      x = try network.reduction8(x, name: "mixed8")
      for index in 0..<2 { x = try network.block8(x, index: index) }
      return x
    },
    top: { (network, x, classCount) throws(GraphError) in try network.classified(x, classCount) })
}

// MARK: - What both Inception networks are made of

extension NetworkBuilder {
  /// Five convolutions and two poolings.
  mutating func inceptionStem(_ x: Node) throws(GraphError) -> Node {
    var x = try inceptionConv(x, 32, 3, 3, stride: 2, padding: .valid)
    x = try inceptionConv(x, 32, 3, 3, padding: .valid)
    x = try inceptionConv(x, 64, 3, 3)
    x = try maxPooled(x, 3, stride: 2, numbered("max_pooling2d"))
    x = try inceptionConv(x, 80, 1, 1, padding: .valid)
    x = try inceptionConv(x, 192, 3, 3, padding: .valid)
    return try maxPooled(x, 3, stride: 2, numbered("max_pooling2d"))
  }

  /// A convolution without bias, its normalisation without gamma, and ReLU.
  mutating func inceptionConv(
    _ x: Node, _ filters: Int, _ rows: Int, _ columns: Int, stride: Int = 1, padding: Padding = .same
  ) throws(GraphError) -> Node {
    let layer = Conv2D(
      filters: filters, kernelSize: Size2D(rows, columns), strides: Size2D(stride), padding: padding, usesBias: false)
    var x = try add(layer, numbered("conv2d"), to: x)
    x = try normalized(x, scales: false, numbered("batch_normalization"))
    return try activated(x, .relu(), numbered("activation"))
  }
}

// MARK: - Blocks

extension NetworkBuilder {
  /// 1x1, 5x5, two 3x3, and a pooling, side by side.
  fileprivate mutating func block35(_ x: Node, poolFilters: Int, name: String) throws(GraphError) -> Node {
    let small = try inceptionConv(x, 64, 1, 1)
    let large = try inceptionConv(inceptionConv(x, 48, 1, 1), 64, 5, 5)
    var double = try inceptionConv(inceptionConv(x, 64, 1, 1), 96, 3, 3)
    double = try inceptionConv(double, 96, 3, 3)
    let pooled = try inceptionConv(mean(x), poolFilters, 1, 1)
    return try join(Concatenate(), name, [small, large, double, pooled])
  }

  /// Half the resolution: 3x3, two 3x3, and a pooling.
  fileprivate mutating func reduction17(_ x: Node, name: String) throws(GraphError) -> Node {
    let single = try inceptionConv(x, 384, 3, 3, stride: 2, padding: .valid)
    var double = try inceptionConv(inceptionConv(x, 64, 1, 1), 96, 3, 3)
    double = try inceptionConv(double, 96, 3, 3, stride: 2, padding: .valid)
    let pooled = try maxPooled(x, 3, stride: 2, numbered("max_pooling2d"))
    return try join(Concatenate(), name, [single, double, pooled])
  }

  /// 1x1, one and two 7x7 that are taken apart into rows and columns, and a pooling.
  fileprivate mutating func block17(_ x: Node, filters: Int, name: String) throws(GraphError) -> Node {
    let small = try inceptionConv(x, 192, 1, 1)
    var single = try inceptionConv(x, filters, 1, 1)
    single = try inceptionConv(single, filters, 1, 7)
    single = try inceptionConv(single, 192, 7, 1)
    var double = try inceptionConv(x, filters, 1, 1)
    double = try inceptionConv(double, filters, 7, 1)
    double = try inceptionConv(double, filters, 1, 7)
    double = try inceptionConv(double, filters, 7, 1)
    double = try inceptionConv(double, 192, 1, 7)
    let pooled = try inceptionConv(mean(x), 192, 1, 1)
    return try join(Concatenate(), name, [small, single, double, pooled])
  }

  /// Half the resolution: 3x3, 7x7 with 3x3, and a pooling.
  fileprivate mutating func reduction8(_ x: Node, name: String) throws(GraphError) -> Node {
    var single = try inceptionConv(x, 192, 1, 1)
    single = try inceptionConv(single, 320, 3, 3, stride: 2, padding: .valid)
    var double = try inceptionConv(x, 192, 1, 1)
    double = try inceptionConv(double, 192, 1, 7)
    double = try inceptionConv(double, 192, 7, 1)
    double = try inceptionConv(double, 192, 3, 3, stride: 2, padding: .valid)
    let pooled = try maxPooled(x, 3, stride: 2, numbered("max_pooling2d"))
    return try join(Concatenate(), name, [single, double, pooled])
  }

  /// 1x1, and 3x3 once and twice, each ending in a row and a column side by side, and a pooling.
  fileprivate mutating func block8(_ x: Node, index: Int) throws(GraphError) -> Node {
    let small = try inceptionConv(x, 320, 1, 1)
    let wide = try rowAndColumn(inceptionConv(x, 384, 1, 1), name: "mixed9_\(index)")
    let double = try inceptionConv(inceptionConv(x, 448, 1, 1), 384, 3, 3)
    let deep = try rowAndColumn(double, name: numbered("concatenate"))
    let pooled = try inceptionConv(mean(x), 192, 1, 1)
    return try join(Concatenate(), "mixed\(9 + index)", [small, wide, deep, pooled])
  }

  private mutating func rowAndColumn(_ x: Node, name: String) throws(GraphError) -> Node {
    let row = try inceptionConv(x, 384, 1, 3)
    let column = try inceptionConv(x, 384, 3, 1)
    return try join(Concatenate(), name, [row, column])
  }

  private mutating func mean(_ x: Node) throws(GraphError) -> Node {
    try meanPooled(x, 3, numbered("average_pooling2d"))
  }
}
