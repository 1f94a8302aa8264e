import Graphs
import Tensors

extension BackboneFamily {
  /// Fifty layers in bottleneck blocks with shortcuts.
  public static let resNet50 = resNet(blockCounts: [3, 4, 6, 3], counts: ParameterCounts(23_587_712, 25_636_712))
  /// A hundred and one layers in bottleneck blocks with shortcuts.
  public static let resNet101 = resNet(blockCounts: [3, 4, 23, 3], counts: ParameterCounts(42_658_176, 44_707_176))
  /// A hundred and fifty-two layers in bottleneck blocks with shortcuts.
  public static let resNet152 = resNet(blockCounts: [3, 8, 36, 3], counts: ParameterCounts(58_370_944, 60_419_944))

  /// Bottleneck blocks with shortcuts, each normalised after its convolutions.
  ///
  /// He et al., 2016. As in Keras, the first 1x1 convolution of a block has the stride.
  private static func resNet(blockCounts: [Int], counts: ParameterCounts) -> BackboneFamily {
    let layerCount = 3 * blockCounts.reduce(0, +) + 2
    return BackboneFamily(
      name: "resnet\(layerCount)", title: "ResNet\(layerCount)", aliases: ["resnet\(layerCount)v1"],
      defaultSize: Size2D(224), preprocessing: .caffe, parameterCounts: counts,
      stageEnds: [(name: "stem", lastLayer: "pool1_pool")]
        + blockCounts.enumerated().map { ("stage\($0 + 1)", "conv\($0 + 2)_block\($1)_out") },
      trunk: { (network, x) throws(GraphError) in
        var x = try network.resNetStem(x)
        x = try network.normalized(x, epsilon: resNetEpsilon, "conv1_bn")
        x = try network.activated(x, .relu(), "conv1_relu")
        x = try network.resNetPool(x)
        for (stage, blockCount) in blockCounts.enumerated() {
          for block in 1...blockCount {
            x = try network.bottleneck(
              x, 64 << stage, stride: block == 1 && stage > 0 ? 2 : 1, projects: block == 1,
              "conv\(stage + 2)_block\(block)")
          }
        }
        return x
      },
      top: { (network, x, classCount) throws(GraphError) in try network.classified(x, classCount) })
  }
}

/// What residual networks add to variances.
let resNetEpsilon: Float = 1.001e-5

extension NetworkBuilder {
  /// Padding and a 7x7 convolution, with which residual networks begin.
  mutating func resNetStem(_ x: Node) throws(GraphError) -> Node {
    let padded = try add(ZeroPadding2D(padding: Insets2D(3)), "conv1_pad", to: x)
    return try conv(padded, 64, 7, stride: 2, padding: .valid, bias: true, "conv1_conv")
  }

  /// Padding and a 3x3 pooling.
  mutating func resNetPool(_ x: Node) throws(GraphError) -> Node {
    try maxPooled(add(ZeroPadding2D(), "pool1_pad", to: x), 3, stride: 2, "pool1_pool")
  }

  /// 1x1, 3x3 and 1x1 convolutions beside a shortcut, which is a 1x1 convolution itself where the block `projects`.
  fileprivate mutating func bottleneck(
    _ input: Node, _ filters: Int, stride: Int, projects: Bool, _ name: String
  ) throws(GraphError) -> Node {
    var shortcut = input
    if projects { shortcut = try convAndNorm(input, 4 * filters, 1, stride: stride, "\(name)_0") }
    var x = try convAndNorm(input, filters, 1, stride: stride, "\(name)_1")
    x = try activated(x, .relu(), "\(name)_1_relu")
    x = try convAndNorm(x, filters, 3, "\(name)_2")
    x = try activated(x, .relu(), "\(name)_2_relu")
    x = try convAndNorm(x, 4 * filters, 1, "\(name)_3")
    x = try add(Add(), "\(name)_add", to: shortcut, x)
    return try activated(x, .relu(), "\(name)_out")
  }

  /// A convolution and its normalisation, `NAME_conv` and `NAME_bn`.
  private mutating func convAndNorm(
    _ x: Node, _ filters: Int, _ window: Int, stride: Int = 1, _ name: String
  ) throws(GraphError) -> Node {
    let padding: Padding = window == 1 ? .valid : .same
    let x = try conv(x, filters, window, stride: stride, padding: padding, bias: true, "\(name)_conv")
    return try normalized(x, epsilon: resNetEpsilon, "\(name)_bn")
  }
}
