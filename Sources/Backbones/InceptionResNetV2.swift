import Graphs
import Tensors

extension BackboneFamily {
  /// Inception blocks as residual branches, each added at a fixed small scale.
  ///
  /// Szegedy et al., 2017. Most of its layers carry the numbers that Keras gives them in a fresh session.
  public static let inceptionResNetV2 = BackboneFamily(
    name: "inceptionresnetv2", title: "InceptionResNetV2", defaultSize: Size2D(299), minimumSize: Size2D(75),
    preprocessing: .tf, parameterCounts: ParameterCounts(54_336_736, 55_873_736),
    stageEnds: [
      ("stem", "max_pooling2d_1"), ("stage1", "block35_10_ac"), ("stage2", "block17_20_ac"), ("stage3", "conv_7b_ac"),
    ], graphName: { _ in "inception_resnet_v2" },
    trunk: { (network, x) throws(GraphError) in
      var x = try network.inceptionStem(x)
      x = try network.mixed5b(x)
      for block in 1...10 { x = try network.block35(x, "block35_\(block)") }
      x = try network.mixed6a(x)
      for block in 1...20 { x = try network.block17(x, "block17_\(block)") }
      x = try network.mixed7a(x)
      for block in 1...9 { x = try network.block8(x, scale: 0.2, "block8_\(block)") }
      x = try network.block8(x, scale: 1, isLast: true, "block8_10")
      x = try network.conv(x, 1536, 1, "conv_7b")
      x = try network.normalized(x, scales: false, "conv_7b_bn")
      return try network.activated(x, .relu(), "conv_7b_ac")
    },
    top: { (network, x, classCount) throws(GraphError) in try network.classified(x, classCount) })
}

// MARK: - Blocks

extension NetworkBuilder {
  fileprivate mutating func mixed5b(_ x: Node) throws(GraphError) -> Node {
    let small = try inceptionConv(x, 96, 1, 1)
    let large = try inceptionConv(inceptionConv(x, 48, 1, 1), 64, 5, 5)
    var double = try inceptionConv(inceptionConv(x, 64, 1, 1), 96, 3, 3)
    double = try inceptionConv(double, 96, 3, 3)
    let pooled = try inceptionConv(meanPooled(x, 3, numbered("average_pooling2d")), 64, 1, 1)
    return try join(Concatenate(), "mixed_5b", [small, large, double, pooled])
  }

  /// Half the resolution.
  fileprivate mutating func mixed6a(_ x: Node) throws(GraphError) -> Node {
    let single = try inceptionConv(x, 384, 3, 3, stride: 2, padding: .valid)
    var double = try inceptionConv(inceptionConv(x, 256, 1, 1), 256, 3, 3)
    double = try inceptionConv(double, 384, 3, 3, stride: 2, padding: .valid)
    let pooled = try maxPooled(x, 3, stride: 2, numbered("max_pooling2d"))
    return try join(Concatenate(), "mixed_6a", [single, double, pooled])
  }

  /// Half the resolution.
  fileprivate mutating func mixed7a(_ x: Node) throws(GraphError) -> Node {
    var branches: [Node] = []
    for filters in [384, 288] {
      let narrow = try inceptionConv(x, 256, 1, 1)
      branches.append(try inceptionConv(narrow, filters, 3, 3, stride: 2, padding: .valid))
    }
    let double = try inceptionConv(inceptionConv(x, 256, 1, 1), 288, 3, 3)
    branches.append(try inceptionConv(double, 320, 3, 3, stride: 2, padding: .valid))
    branches.append(try maxPooled(x, 3, stride: 2, numbered("max_pooling2d")))
    return try join(Concatenate(), "mixed_7a", branches)
  }

  fileprivate mutating func block35(_ x: Node, _ name: String) throws(GraphError) -> Node {
    let small = try inceptionConv(x, 32, 1, 1)
    let single = try inceptionConv(inceptionConv(x, 32, 1, 1), 32, 3, 3)
    var double = try inceptionConv(inceptionConv(x, 32, 1, 1), 48, 3, 3)
    double = try inceptionConv(double, 64, 3, 3)
    return try residual(x, [small, single, double], scale: 0.17, name)
  }

  fileprivate mutating func block17(_ x: Node, _ name: String) throws(GraphError) -> Node {
    let small = try inceptionConv(x, 192, 1, 1)
    var crossed = try inceptionConv(inceptionConv(x, 128, 1, 1), 160, 1, 7)
    crossed = try inceptionConv(crossed, 192, 7, 1)
    return try residual(x, [small, crossed], scale: 0.1, name)
  }

  fileprivate mutating func block8(
    _ x: Node, scale: Float, isLast: Bool = false, _ name: String
  ) throws(GraphError) -> Node {
    let small = try inceptionConv(x, 192, 1, 1)
    var crossed = try inceptionConv(inceptionConv(x, 192, 1, 1), 224, 1, 3)
    crossed = try inceptionConv(crossed, 256, 3, 1)
    return try residual(x, [small, crossed], scale: scale, isLast: isLast, name)
  }

  /// Branches joined, brought to the channels of the input, and a share of them added to it.
  private mutating func residual(
    _ x: Node, _ branches: [Node], scale: Float, isLast: Bool = false, _ name: String
  ) throws(GraphError) -> Node {
    let mixed = try join(Concatenate(), "\(name)_mixed", branches)
    let up = try conv(mixed, channels(of: x), 1, bias: true, "\(name)_conv")
    let sum = try add(ScaledAdd(scale: scale), numbered("custom_scale_layer"), to: x, up)
    return isLast ? sum : try activated(sum, .relu(), "\(name)_ac")
  }
}
