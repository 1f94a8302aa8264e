import Foundation
import Graphs
import Tensors

extension BackboneFamily {
  /// The widths that weights were published for.
  public static let mobileNetV2Widths: [Double] = [1, 0.35, 0.5, 0.75, 1.3, 1.4]

  /// Inverted residual blocks of depthwise convolutions, every channel count multiplied by `alpha`.
  ///
  /// Sandler et al., 2018.
  public static func mobileNetV2(alpha: Double) -> BackboneFamily {
    precondition(alpha.isFinite && alpha > 0 && alpha <= 64, "a width lies between 0 and 64")
    let two = String(format: "%.2f", alpha)
    let isWhole = alpha == 1
    return BackboneFamily(
      name: isWhole ? "mobilenetv2" : "mobilenetv2-\(alpha)",
      title: isWhole ? "MobileNetV2" : "MobileNetV2 \(alpha)",
      aliases: ["mobilenetv2-\(alpha)", "mobilenetv2-\(two)"], defaultSize: Size2D(224), preprocessing: .tf,
      stageEnds: mobileNetV2StageEnds, graphName: { "mobilenetv2_\(two)_\($0.height)" },
      trunk: { (graph, input) throws(GraphError) in
        try graph.mobileNetV2Trunk(on: input, alpha: alpha)
      },
      top: { (graph, trunk, classCount) throws(GraphError) in
        let node = try graph.apply(GlobalAveragePooling2D(), named: "global_average_pooling2d", to: [trunk])
        return try graph.apply(Dense(units: classCount, activation: .softmax), named: "predictions", to: [node])
      })
  }
}

/// Runs of blocks: how many, their channels before multiplication, and the stride of the first.
private let runs: [(blockCount: Int, filters: Int, stride: Int)] = [
  (1, 16, 1), (2, 24, 2), (3, 32, 2), (4, 64, 2), (3, 96, 1), (3, 160, 2), (1, 320, 1),
]

private let mobileNetV2StageEnds: [(name: String, lastLayer: String)] = {
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

/// The multiple of 8 nearest to a channel count, at least 8, and never more than a tenth below it.
private func roundedChannels(_ count: Double) -> Int {
  let rounded = max(8, Int(count + 4) / 8 * 8)
  return Double(rounded) < 0.9 * count ? rounded + 8 : rounded
}

extension Graph {
  fileprivate mutating func mobileNetV2Trunk(on input: Node.ID, alpha: Double) throws(GraphError) -> Node.ID {
    let first = Conv2D(
      filters: roundedChannels(32 * alpha), kernelSize: Size2D(3), strides: Size2D(2), padding: .same,
      usesBias: false)
    var node = try apply(first, named: "Conv1", to: [input])
    node = try normalized(node, named: "bn_Conv1")
    node = try apply(Activation(.relu(maxValue: 6)), named: "Conv1_relu", to: [node])
    var block = 0
    for run in runs {
      for index in 0..<run.blockCount {
        // The product is cut to a whole number before it is rounded to a multiple of 8.
        let filters = roundedChannels(Double(Int(Double(run.filters) * alpha)))
        node = try invertedResidual(on: node, filters: filters, stride: index == 0 ? run.stride : 1, block: block)
        block += 1
      }
    }
    let last = Conv2D(
      filters: alpha > 1 ? roundedChannels(1280 * alpha) : 1280, kernelSize: Size2D(1), usesBias: false)
    node = try apply(last, named: "Conv_1", to: [node])
    node = try normalized(node, named: "Conv_1_bn")
    return try apply(Activation(.relu(maxValue: 6)), named: "out_relu", to: [node])
  }

  /// Six times as many channels, a depthwise convolution, and fewer channels again, beside a shortcut where that fits.
  private mutating func invertedResidual(
    on input: Node.ID, filters: Int, stride: Int, block: Int
  ) throws(GraphError) -> Node.ID {
    let prefix = blockPrefix(block)
    let channels = nodes[input].outputShape[2]
    var node = input
    if block > 0 {
      let expand = Conv2D(filters: 6 * channels, kernelSize: Size2D(1), padding: .same, usesBias: false)
      node = try apply(expand, named: "\(prefix)expand", to: [node])
      node = try normalized(node, named: "\(prefix)expand_BN")
      node = try apply(Activation(.relu(maxValue: 6)), named: "\(prefix)expand_relu", to: [node])
    }
    if stride == 2 {
      // What `same` padding would add, in a layer of its own: one row less above where the height is even.
      let shape = nodes[node].outputShape
      let padding = Insets2D(top: shape[0] % 2, bottom: 1, left: shape[1] % 2, right: 1)
      node = try apply(ZeroPadding2D(padding: padding), named: "\(prefix)pad", to: [node])
    }
    let depthwise = DepthwiseConv2D(
      kernelSize: Size2D(3), strides: Size2D(stride), padding: stride == 1 ? .same : .valid, usesBias: false)
    node = try apply(depthwise, named: "\(prefix)depthwise", to: [node])
    node = try normalized(node, named: "\(prefix)depthwise_BN")
    node = try apply(Activation(.relu(maxValue: 6)), named: "\(prefix)depthwise_relu", to: [node])
    let project = Conv2D(filters: filters, kernelSize: Size2D(1), padding: .same, usesBias: false)
    node = try apply(project, named: "\(prefix)project", to: [node])
    node = try normalized(node, named: "\(prefix)project_BN")
    guard stride == 1, channels == filters else { return node }
    return try apply(Add(), named: "\(prefix)add", to: [input, node])
  }

  private mutating func normalized(_ node: Node.ID, named name: String) throws(GraphError) -> Node.ID {
    try apply(BatchNormalization(momentum: 0.999, epsilon: 1e-3), named: name, to: [node])
  }
}
