import Graphs
import Tensors

extension BackboneFamily {
  /// EfficientNet-Lite0 to Lite4: EfficientNets without squeeze-and-excitation, with ReLU6 for swish.
  ///
  /// Tan and Le, 2019, and the Lite variants of 2020, in which stem and top keep their width and the first and last run
  /// their length. Named as keras.applications names the layers of EfficientNet. The network begins with its own
  /// (x − 127)/128.
  public static let efficientNetLites = [
    efficientNetLite(0, width: 1, depth: 1, size: 224, dropout: 0.2, counts: ParameterCounts(3_413_024, 4_694_024)),
    efficientNetLite(1, width: 1, depth: 1.1, size: 240, dropout: 0.2, counts: ParameterCounts(4_189_344, 5_470_344)),
    efficientNetLite(2, width: 1.1, depth: 1.2, size: 260, dropout: 0.3, counts: ParameterCounts(4_869_168, 6_150_168)),
    efficientNetLite(3, width: 1.2, depth: 1.4, size: 280, dropout: 0.3, counts: ParameterCounts(6_992_768, 8_273_768)),
    efficientNetLite(
      4, width: 1.4, depth: 1.8, size: 300, dropout: 0.3, counts: ParameterCounts(11_837_936, 13_118_936)),
  ]

  /// The smallest EfficientNet-Lite.
  public static let efficientNetLite0 = efficientNetLites[0]

  private static func efficientNetLite(
    _ number: Int, width: Double, depth: Double, size: Int, dropout: Float, counts: ParameterCounts
  ) -> BackboneFamily {
    let blocks = mobileRuns.enumerated().flatMap { index, run in
      let isEnd = index == 0 || index == mobileRuns.count - 1
      return MobileBlock.run(
        index, count: isEnd ? run.blockCount : Int((depth * Double(run.blockCount)).rounded(.up)),
        input: index == 0 ? run.input : roundedChannels(Double(run.input) * width),
        output: roundedChannels(Double(run.filters) * width), window: run.window, stride: run.stride,
        expansion: run.expansion, squeeze: 0)
    }
    return BackboneFamily(
      name: "efficientnet-lite\(number)", title: "EfficientNet-Lite\(number)", defaultSize: Size2D(size),
      preprocessing: .insideModel, isInKeras: false, parameterCounts: counts,
      stageEnds: MobileBlock.stageEnds(blocks), inputName: "input", graphName: { _ in "efficientnet-lite\(number)" },
      trunk: { (network, x) throws(GraphError) in
        var x = try network.add(Rescaling(scale: [1 / 128], offset: [-127 / 128]), "rescaling", to: x)
        x = try network.conv(x, 32, 3, stride: 2, "stem_conv")
        x = try network.cut(x, "stem_bn", "stem_activation")
        for block in blocks { x = try network.liteBlock(x, block) }
        return try network.cut(network.conv(x, 1280, 1, "top_conv"), "top_bn", "top_activation")
      },
      top: { (network, x, classCount) throws(GraphError) in
        try network.classified(x, classCount, dropout: (dropout, "top_dropout"))
      })
  }
}

extension NetworkBuilder {
  /// More channels, a depthwise convolution, and fewer channels again, beside a shortcut where that fits.
  fileprivate mutating func liteBlock(_ input: Node, _ block: MobileBlock) throws(GraphError) -> Node {
    let prefix = block.prefix
    var x = input
    if block.expansion > 1 {
      x = try conv(x, block.expanded, 1, "\(prefix)expand_conv")
      x = try cut(x, "\(prefix)expand_bn", "\(prefix)expand_activation")
    }
    x = try depthwise(x, block.window, stride: block.stride, "\(prefix)dwconv")
    x = try cut(x, "\(prefix)bn", "\(prefix)activation")
    x = try normalized(conv(x, block.output, 1, "\(prefix)project_conv"), "\(prefix)project_bn")
    return block.hasShortcut ? try add(Add(), "\(prefix)add", to: x, input) : x
  }

  /// A normalisation and ReLU6.
  fileprivate mutating func cut(_ x: Node, _ norm: String, _ activation: String) throws(GraphError) -> Node {
    try activated(normalized(x, norm), .relu(maxValue: 6), activation)
  }
}
