import Foundation
import Graphs
import Tensors

extension BackboneFamily {
  /// EfficientNetV2 B0 to B3, S, M and L: the first blocks of an EfficientNet fused into full convolutions.
  ///
  /// Tan and Le, 2021. The network begins with its own preprocessing: x / 255 and the mean and variance of ImageNet for
  /// the B networks, x / 128 − 1 for the others and for pictures of one channel.
  public static let efficientNetV2s: [BackboneFamily] = [
    efficientNetV2("b0", baseRuns, size: 224, counts: ParameterCounts(5_919_312, 7_200_312)),
    efficientNetV2("b1", baseRuns, depth: 1.1, size: 240, counts: ParameterCounts(6_931_124, 8_212_124)),
    efficientNetV2("b2", baseRuns, width: 1.1, depth: 1.2, size: 260, counts: ParameterCounts(8_769_374, 10_178_374)),
    efficientNetV2("b3", baseRuns, width: 1.2, depth: 1.4, size: 300, counts: ParameterCounts(12_930_622, 14_467_622)),
    efficientNetV2("s", smallRuns, size: 384, counts: ParameterCounts(20_331_360, 21_612_360)),
    efficientNetV2("m", mediumRuns, size: 480, counts: ParameterCounts(53_150_388, 54_431_388)),
    efficientNetV2("l", largeRuns, size: 480, counts: ParameterCounts(117_746_848, 119_027_848)),
  ]

  private static func efficientNetV2(
    _ variant: String, _ runs: [Run], width: Double = 1, depth: Double = 1, size: Int, counts: ParameterCounts
  ) -> BackboneFamily {
    let blocks = runs.enumerated().flatMap { $1.blocks($0, width: width, depth: depth) }
    // The rates of dropout are shares of the depth before it is scaled.
    let listedCount = Double(runs.reduce(0) { $0 + $1.blockCount })
    return BackboneFamily(
      name: "efficientnetv2\(variant)", title: "EfficientNetV2\(variant.uppercased())",
      aliases: ["efficientnetv2-\(variant)"], defaultSize: Size2D(size), preprocessing: .insideModel,
      parameterCounts: counts, stageEnds: MobileBlock.stageEnds(blocks),
      graphName: { _ in "efficientnetv2-\(variant)" },
      trunk: { (network, x) throws(GraphError) in
        let isBase = variant.hasPrefix("b")
        var x = try network.efficientNetV2Preprocessing(x, isBase: isBase)
        x = try network.conv(x, nearestChannels(Double(runs[0].input) * width), 3, stride: 2, "stem_conv")
        x = try network.normalized(x, momentum: momentum, "stem_bn")
        x = try network.activated(x, .silu, "stem_activation")
        for (index, block) in blocks.enumerated() {
          let rate = 0.2 * Double(index) / listedCount
          x = try block.isFused ? network.fusedBlock(x, block, rate) : network.unfusedBlock(x, block, rate)
        }
        x = try network.conv(x, nearestChannels(1280 * width), 1, "top_conv")
        x = try network.normalized(x, momentum: momentum, "top_bn")
        return try network.activated(x, .silu, "top_activation")
      },
      top: { (network, x, classCount) throws(GraphError) in
        try network.classified(x, classCount, dropout: (0.2, "top_dropout"))
      })
  }
}

/// The multiple of 8 nearest to a channel count, at least 8; other than in earlier networks it may lie far below.
private func nearestChannels(_ count: Double) -> Int { max(8, Int(count + 4) / 8 * 8) }

/// How fast the statistics of its normalisations move.
private let momentum: Float = 0.9

/// Blocks of one kind.
private struct Run: Sendable {
  var blockCount: Int
  var input: Int
  var output: Int
  var expansion: Int
  var stride: Int
  var isFused: Bool

  init(_ blockCount: Int, _ input: Int, _ output: Int, _ expansion: Int, _ stride: Int, fused: Bool) {
    (self.blockCount, self.input, self.output) = (blockCount, input, output)
    (self.expansion, self.stride, isFused) = (expansion, stride, fused)
  }

  func blocks(_ index: Int, width: Double, depth: Double) -> [MobileBlock] {
    MobileBlock.run(
      index, count: Int((depth * Double(blockCount)).rounded(.up)), input: nearestChannels(Double(input) * width),
      output: nearestChannels(Double(output) * width), window: 3, stride: stride, expansion: expansion,
      squeeze: isFused ? 0 : 0.25, isFused: isFused)
  }
}

private let baseRuns = [
  Run(1, 32, 16, 1, 1, fused: true), Run(2, 16, 32, 4, 2, fused: true), Run(2, 32, 48, 4, 2, fused: true),
  Run(3, 48, 96, 4, 2, fused: false), Run(5, 96, 112, 6, 1, fused: false), Run(8, 112, 192, 6, 2, fused: false),
]

private let smallRuns = [
  Run(2, 24, 24, 1, 1, fused: true), Run(4, 24, 48, 4, 2, fused: true), Run(4, 48, 64, 4, 2, fused: true),
  Run(6, 64, 128, 4, 2, fused: false), Run(9, 128, 160, 6, 1, fused: false), Run(15, 160, 256, 6, 2, fused: false),
]

private let mediumRuns = [
  Run(3, 24, 24, 1, 1, fused: true), Run(5, 24, 48, 4, 2, fused: true), Run(5, 48, 80, 4, 2, fused: true),
  Run(7, 80, 160, 4, 2, fused: false), Run(14, 160, 176, 6, 1, fused: false), Run(18, 176, 304, 6, 2, fused: false),
  Run(5, 304, 512, 6, 1, fused: false),
]

private let largeRuns = [
  Run(4, 32, 32, 1, 1, fused: true), Run(7, 32, 64, 4, 2, fused: true), Run(7, 64, 96, 4, 2, fused: true),
  Run(10, 96, 192, 4, 2, fused: false), Run(19, 192, 224, 6, 1, fused: false), Run(25, 224, 384, 6, 2, fused: false),
  Run(7, 384, 640, 6, 1, fused: false),
]

extension NetworkBuilder {
  fileprivate mutating func efficientNetV2Preprocessing(_ x: Node, isBase: Bool) throws(GraphError) -> Node {
    guard isBase, channels(of: x) == 3 else {
      return try add(Rescaling(scale: [1 / 128], offset: [-1]), numbered("rescaling"), to: x)
    }
    let scaled = try add(Rescaling(scale: [1 / 255]), numbered("rescaling"), to: x)
    let statistics = Normalization.Statistics(
      mean: [0.485, 0.456, 0.406], variance: [0.229, 0.224, 0.225].map { Float($0 * $0) })
    return try add(Normalization(statistics), numbered("normalization"), to: scaled)
  }

  /// A full convolution to more channels, and fewer channels again.
  fileprivate mutating func fusedBlock(_ input: Node, _ block: MobileBlock, _ dropRate: Double) throws(GraphError)
    -> Node
  {
    let prefix = block.prefix
    var x = input
    if block.expansion > 1 {
      x = try conv(x, block.expanded, block.window, stride: block.stride, "\(prefix)expand_conv")
      x = try normalized(x, momentum: momentum, "\(prefix)expand_bn")
      x = try activated(x, .silu, "\(prefix)expand_activation")
      x = try conv(x, block.output, 1, "\(prefix)project_conv")
    } else {
      x = try conv(x, block.output, block.window, stride: block.stride, "\(prefix)project_conv")
    }
    x = try normalized(x, momentum: momentum, "\(prefix)project_bn")
    if block.expansion == 1 { x = try activated(x, .silu, "\(prefix)project_activation") }
    return try withShortcut(x, from: input, block, dropRate)
  }

  /// More channels, a depthwise convolution, gates, and fewer channels again.
  fileprivate mutating func unfusedBlock(
    _ input: Node, _ block: MobileBlock, _ dropRate: Double
  ) throws(GraphError) -> Node {
    let prefix = block.prefix
    var x = try conv(input, block.expanded, 1, "\(prefix)expand_conv")
    x = try normalized(x, momentum: momentum, "\(prefix)expand_bn")
    x = try activated(x, .silu, "\(prefix)expand_activation")
    x = try depthwise(x, block.window, stride: block.stride, "\(prefix)dwconv2")
    x = try normalized(x, momentum: momentum, "\(prefix)bn")
    x = try activated(x, .silu, "\(prefix)activation")
    x = try squeezedAndExcited(x, block)
    x = try conv(x, block.output, 1, "\(prefix)project_conv")
    x = try normalized(x, momentum: momentum, "\(prefix)project_bn")
    return try withShortcut(x, from: input, block, dropRate)
  }

  private mutating func withShortcut(
    _ x: Node, from input: Node, _ block: MobileBlock, _ dropRate: Double
  ) throws(GraphError) -> Node {
    guard block.hasShortcut else { return x }
    var x = x
    if dropRate > 0 {
      x = try add(Dropout(rate: Float(dropRate), dropsWholeImages: true), "\(block.prefix)drop", to: x)
    }
    return try add(Add(), "\(block.prefix)add", to: x, input)
  }
}
