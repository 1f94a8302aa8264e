import Graphs
import Tensors

extension BackboneFamily {
  /// The widths of MobileNetV2 that weights were published for.
  public static let mobileNetV2Widths: [Double] = [1, 0.35, 0.5, 0.75, 1.3, 1.4]

  /// Inverted residual blocks of depthwise convolutions, every channel count multiplied by `alpha`.
  ///
  /// Sandler et al., 2018.
  public static func mobileNetV2(alpha: Double) -> BackboneFamily {
    precondition(alpha.isFinite && alpha > 0 && alpha <= 64, "a width lies between 0 and 64")
    let two = twoDigits(alpha)
    return BackboneFamily(
      name: widthName("mobilenetv2", alpha), title: widthTitle("MobileNetV2", alpha),
      aliases: widthAliases("mobilenetv2", alpha), defaultSize: Size2D(224), preprocessing: .tf,
      kerasCall: widthCall("MobileNetV2", alpha),
      parameterCounts: publishedCounts[alpha], stageEnds: publishedStageEnds,
      graphName: { "mobilenetv2_\(two)_\($0.height)" },
      trunk: { (network, x) throws(GraphError) in
        var x = try network.conv(x, roundedChannels(32 * alpha), 3, stride: 2, "Conv1")
        x = try network.normalized(x, momentum: 0.999, "bn_Conv1")
        x = try network.activated(x, .relu(maxValue: 6), "Conv1_relu")
        var block = 0
        for run in runs {
          for index in 0..<run.blockCount {
            // The product is cut to a whole number before it is rounded to a multiple of 8.
            let filters = roundedChannels(Double(Int(Double(run.filters) * alpha)))
            x = try network.invertedResidual(x, filters, stride: index == 0 ? run.stride : 1, block: block)
            block += 1
          }
        }
        x = try network.conv(x, alpha > 1 ? roundedChannels(1280 * alpha) : 1280, 1, padding: .valid, "Conv_1")
        x = try network.normalized(x, momentum: 0.999, "Conv_1_bn")
        return try network.activated(x, .relu(maxValue: 6), "out_relu")
      },
      top: { (network, x, classCount) throws(GraphError) in
        try network.classified(x, classCount, pooling: "global_average_pooling2d")
      })
  }
}

private let publishedCounts: [Double: BackboneFamily.ParameterCounts] = [
  1: .init(2_257_984, 3_538_984), 0.35: .init(410_208, 1_691_208), 0.5: .init(706_224, 1_987_224),
  0.75: .init(1_382_064, 2_663_064), 1.3: .init(3_766_048, 5_431_048), 1.4: .init(4_363_712, 6_156_712),
]

/// Runs of blocks: how many, their channels before multiplication, and the stride of the first.
private let runs: [(blockCount: Int, filters: Int, stride: Int)] = [
  (1, 16, 1), (2, 24, 2), (3, 32, 2), (4, 64, 2), (3, 96, 1), (3, 160, 2), (1, 320, 1),
]

private let publishedStageEnds: [(name: String, lastLayer: String)] = {
  var ends = [(name: "stem", lastLayer: "Conv1_relu")]
  var blockCount = 0
  for (index, run) in runs.enumerated() {
    blockCount += run.blockCount
    let prefix = blockPrefix(blockCount - 1)
    ends.append((name: "stage\(index + 1)", lastLayer: prefix + (run.blockCount > 1 ? "add" : "project_BN")))
  }
  return ends + [(name: "top", lastLayer: "out_relu")]
}()

private func blockPrefix(_ block: Int) -> String { block == 0 ? "expanded_conv_" : "block_\(block)_" }

extension NetworkBuilder {
  /// Six times as many channels, a depthwise convolution, and fewer channels again, beside a shortcut where that fits.
  fileprivate mutating func invertedResidual(
    _ input: Node, _ filters: Int, stride: Int, block: Int
  ) throws(GraphError) -> Node {
    let prefix = blockPrefix(block)
    let channels = channels(of: input)
    var x = input
    if block > 0 {
      x = try conv(x, 6 * channels, 1, "\(prefix)expand")
      x = try normalized(x, momentum: 0.999, "\(prefix)expand_BN")
      x = try activated(x, .relu(maxValue: 6), "\(prefix)expand_relu")
    }
    if stride == 2 { x = try paddedForStride(x, window: 3, "\(prefix)pad") }
    x = try depthwise(x, 3, stride: stride, padding: stride == 1 ? .same : .valid, "\(prefix)depthwise")
    x = try normalized(x, momentum: 0.999, "\(prefix)depthwise_BN")
    x = try activated(x, .relu(maxValue: 6), "\(prefix)depthwise_relu")
    x = try conv(x, filters, 1, "\(prefix)project")
    x = try normalized(x, momentum: 0.999, "\(prefix)project_BN")
    return stride == 1 && channels == filters ? try add(Add(), "\(prefix)add", to: input, x) : x
  }
}
