import Foundation
import Graphs
import Tensors

extension BackboneFamily {
  /// EfficientNet-B0 to B7: inverted residual blocks with squeeze-and-excitation, scaled in width, depth and resolution.
  ///
  /// Tan and Le, 2019. The network begins with its own preprocessing: x / 255, the mean and variance of ImageNet, which
  /// lie among the weights, and x / √σ once more, as the published weights were trained; Keras leaves that last layer out
  /// of networks without published weights, and so do pictures of one channel here.
  public static let efficientNets = variants.enumerated().map { efficientNet($0, $1.variant, counts: $1.counts) }

  private static let variants: [(variant: Variant, counts: ParameterCounts)] = [
    (Variant(width: 1, depth: 1, size: 224, dropout: 0.2), ParameterCounts(4_049_571, 5_330_571)),
    (Variant(width: 1, depth: 1.1, size: 240, dropout: 0.2), ParameterCounts(6_575_239, 7_856_239)),
    (Variant(width: 1.1, depth: 1.2, size: 260, dropout: 0.3), ParameterCounts(7_768_569, 9_177_569)),
    (Variant(width: 1.2, depth: 1.4, size: 300, dropout: 0.3), ParameterCounts(10_783_535, 12_320_535)),
    (Variant(width: 1.4, depth: 1.8, size: 380, dropout: 0.4), ParameterCounts(17_673_823, 19_466_823)),
    (Variant(width: 1.6, depth: 2.2, size: 456, dropout: 0.4), ParameterCounts(28_513_527, 30_562_527)),
    (Variant(width: 1.8, depth: 2.6, size: 528, dropout: 0.5), ParameterCounts(40_960_143, 43_265_143)),
    (Variant(width: 2, depth: 3.1, size: 600, dropout: 0.5), ParameterCounts(64_097_687, 66_658_687)),
  ]

  private static func efficientNet(_ number: Int, _ variant: Variant, counts: ParameterCounts) -> BackboneFamily {
    let blocks = variant.blocks
    return BackboneFamily(
      name: "efficientnetb\(number)", title: "EfficientNetB\(number)", aliases: ["efficientnet-b\(number)"],
      defaultSize: Size2D(variant.size), preprocessing: .insideModel, parameterCounts: counts,
      stageEnds: MobileBlock.stageEnds(blocks),
      trunk: { (network, x) throws(GraphError) in
        var x = try network.add(Rescaling(scale: [1 / 255]), network.numbered("rescaling"), to: x)
        x = try network.add(Normalization(), network.numbered("normalization"), to: x)
        if network.channels(of: x) == 3 {
          let factors = [0.229, 0.224, 0.225].map { Float(1 / $0.squareRoot()) }
          x = try network.add(Rescaling(scale: factors), network.numbered("rescaling"), to: x)
        }
        x = try network.paddedForStride(x, window: 3, "stem_conv_pad")
        x = try network.conv(x, variant.channels(32), 3, stride: 2, padding: .valid, "stem_conv")
        x = try network.normalized(x, "stem_bn")
        x = try network.activated(x, .silu, "stem_activation")
        for (index, block) in blocks.enumerated() {
          x = try network.mobileBlock(x, block, dropRate: 0.2 * Double(index) / Double(blocks.count))
        }
        x = try network.conv(x, variant.channels(1280), 1, "top_conv")
        x = try network.normalized(x, "top_bn")
        return try network.activated(x, .silu, "top_activation")
      },
      top: { (network, x, classCount) throws(GraphError) in
        try network.classified(x, classCount, dropout: (variant.dropout, "top_dropout"))
      })
  }
}

/// How a network differs from the first.
private struct Variant: Sendable {
  var width: Double
  var depth: Double
  var size: Int
  var dropout: Float

  func channels(_ count: Int) -> Int { roundedChannels(Double(count) * width) }

  /// The blocks of all seven runs.
  var blocks: [MobileBlock] {
    mobileRuns.enumerated().flatMap { index, run in
      MobileBlock.run(
        index, count: Int((depth * Double(run.blockCount)).rounded(.up)), input: channels(run.input),
        output: channels(run.filters), window: run.window, stride: run.stride, expansion: run.expansion,
        squeeze: 0.25)
    }
  }
}

/// Runs of blocks: how many, the depthwise window, the stride of the first, the expansion, and the channels.
let mobileRuns: [(blockCount: Int, window: Int, stride: Int, expansion: Int, input: Int, filters: Int)] = [
  (1, 3, 1, 1, 32, 16), (2, 3, 2, 6, 16, 24), (2, 5, 2, 6, 24, 40), (3, 3, 2, 6, 40, 80), (3, 5, 1, 6, 80, 112),
  (4, 5, 2, 6, 112, 192), (1, 3, 1, 6, 192, 320),
]

extension NetworkBuilder {
  /// More channels, a depthwise convolution, gates, and fewer channels again, beside a shortcut where that fits.
  fileprivate mutating func mobileBlock(
    _ input: Node, _ block: MobileBlock, dropRate: Double
  ) throws(GraphError) -> Node {
    let prefix = block.prefix
    var x = input
    if block.expansion > 1 {
      x = try conv(x, block.expanded, 1, "\(prefix)expand_conv")
      x = try normalized(x, "\(prefix)expand_bn")
      x = try activated(x, .silu, "\(prefix)expand_activation")
    }
    if block.stride == 2 { x = try paddedForStride(x, window: block.window, "\(prefix)dwconv_pad") }
    let padding: Padding = block.stride == 2 ? .valid : .same
    x = try depthwise(x, block.window, stride: block.stride, padding: padding, "\(prefix)dwconv")
    x = try normalized(x, "\(prefix)bn")
    x = try activated(x, .silu, "\(prefix)activation")
    x = try squeezedAndExcited(x, block)
    x = try conv(x, block.output, 1, "\(prefix)project_conv")
    x = try normalized(x, "\(prefix)project_bn")
    guard block.hasShortcut else { return x }
    if dropRate > 0 {
      x = try add(Dropout(rate: Float(dropRate), dropsWholeImages: true), "\(prefix)drop", to: x)
    }
    return try add(Add(), "\(prefix)add", to: x, input)
  }
}
