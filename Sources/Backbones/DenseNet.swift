import Graphs
import Tensors

extension BackboneFamily {
  /// Dense networks of 121, 169 and 201 layers: every layer of a block sees the outputs of all before it.
  ///
  /// Huang et al., 2017.
  public static let denseNets = [
    denseNet(blockCounts: [6, 12, 24, 16], counts: ParameterCounts(7_037_504, 8_062_504)),
    denseNet(blockCounts: [6, 12, 32, 32], counts: ParameterCounts(12_642_880, 14_307_880)),
    denseNet(blockCounts: [6, 12, 48, 32], counts: ParameterCounts(18_321_984, 20_242_984)),
  ]

  private static func denseNet(blockCounts: [Int], counts: ParameterCounts) -> BackboneFamily {
    let layerCount = 2 * blockCounts.reduce(0, +) + 5
    var ends = [(name: "stem", lastLayer: "pool1")]
    for (stage, blockCount) in blockCounts.enumerated() {
      let isLast = stage == blockCounts.count - 1
      ends.append(("stage\(stage + 1)", isLast ? "relu" : "conv\(stage + 2)_block\(blockCount)_concat"))
    }
    return BackboneFamily(
      name: "densenet\(layerCount)", title: "DenseNet\(layerCount)", defaultSize: Size2D(224), preprocessing: .torch,
      parameterCounts: counts, stageEnds: ends,
      trunk: { (network, x) throws(GraphError) in
        var x = try network.add(
          ZeroPadding2D(padding: Insets2D(3)), network.numbered("zero_padding2d"), to: x)
        x = try network.conv(x, 64, 7, stride: 2, padding: .valid, "conv1_conv")
        x = try network.normalized(x, epsilon: resNetEpsilon, "conv1_bn")
        x = try network.activated(x, .relu(), "conv1_relu")
        x = try network.add(ZeroPadding2D(), network.numbered("zero_padding2d"), to: x)
        x = try network.maxPooled(x, 3, stride: 2, "pool1")
        for (stage, blockCount) in blockCounts.enumerated() {
          if stage > 0 { x = try network.transition(x, "pool\(stage + 1)") }
          for block in 1...blockCount { x = try network.denseLayer(x, "conv\(stage + 2)_block\(block)") }
        }
        x = try network.normalized(x, epsilon: resNetEpsilon, "bn")
        return try network.activated(x, .relu(), "relu")
      },
      top: { (network, x, classCount) throws(GraphError) in try network.classified(x, classCount) })
  }
}

extension NetworkBuilder {
  /// Half the channels and half the resolution.
  fileprivate mutating func transition(_ x: Node, _ name: String) throws(GraphError) -> Node {
    var x = try normalized(x, epsilon: resNetEpsilon, "\(name)_bn")
    x = try activated(x, .relu(), "\(name)_relu")
    x = try conv(x, channels(of: x) / 2, 1, padding: .valid, "\(name)_conv")
    return try meanPooled(x, 2, stride: 2, padding: .valid, "\(name)_pool")
  }

  /// Thirty-two more channels beside those that are there.
  fileprivate mutating func denseLayer(_ input: Node, _ name: String) throws(GraphError) -> Node {
    let growth = 32
    var x = try normalized(input, epsilon: resNetEpsilon, "\(name)_0_bn")
    x = try activated(x, .relu(), "\(name)_0_relu")
    x = try conv(x, 4 * growth, 1, padding: .valid, "\(name)_1_conv")
    x = try normalized(x, epsilon: resNetEpsilon, "\(name)_1_bn")
    x = try activated(x, .relu(), "\(name)_1_relu")
    x = try conv(x, growth, 3, "\(name)_2_conv")
    return try join(Concatenate(), "\(name)_concat", [input, x])
  }
}
