import Graphs
import Tensors

extension BackboneFamily {
  /// The two plans of MobileNetV3.
  public enum MobileNetV3Size: String, CaseIterable, Sendable {
    /// Eleven blocks.
    case small
    /// Fifteen blocks.
    case large
  }

  /// The widths of MobileNetV3 that weights were published for.
  public static let mobileNetV3Widths: [Double] = [1, 0.75]

  /// Both plans in all widths that weights were published for, and minimalistic.
  public static let mobileNetV3s = MobileNetV3Size.allCases.flatMap { size in
    mobileNetV3Widths.map { mobileNetV3(size, alpha: $0) } + [mobileNetV3(size, isMinimalistic: true)]
  }

  /// Inverted residual blocks with squeeze-and-excitation and hard swish, every channel count multiplied by `alpha`.
  ///
  /// Howard et al., 2019. The minimalistic networks do without squeeze-and-excitation, hard swish and 5x5 windows. The
  /// network begins with its own x / 127.5 − 1.
  public static func mobileNetV3(
    _ size: MobileNetV3Size, alpha: Double = 1, isMinimalistic: Bool = false
  ) -> BackboneFamily {
    let plan = Plan(size, alpha: alpha, isMinimalistic: isMinimalistic)
    let stem = "mobilenetv3\(size.rawValue)" + (isMinimalistic ? "-minimalistic" : "")
    let function = "MobileNetV3\(size.rawValue.capitalized)"
    return BackboneFamily(
      name: widthName(stem, alpha), title: widthTitle(function + (isMinimalistic ? " minimalistic" : ""), alpha),
      aliases: widthAliases(stem, alpha), defaultSize: Size2D(224), preprocessing: .insideModel,
      kerasCall: widthCall(function, alpha, isMinimalistic ? ", minimalistic=True" : ""),
      parameterCounts: publishedCounts["\(size) \(alpha)\(isMinimalistic ? " minimalistic" : "")"],
      stageEnds: plan.stageEnds, graphName: { _ in function },
      trunk: { (network, x) throws(GraphError) in
        var x = try network.add(
          Rescaling(scale: [1 / 127.5], offset: [-1]), network.numbered("rescaling"), to: x)
        x = try network.conv(x, 16, 3, stride: 2, "conv")
        x = try network.normalized(x, momentum: 0.999, "conv_bn")
        x = try network.activated(x, plan)
        for index in plan.blocks.indices { x = try network.invertedResidual(x, plan, index) }
        x = try network.conv(x, roundedChannels(Double(6 * network.channels(of: x))), 1, "conv_1")
        x = try network.normalized(x, momentum: 0.999, "conv_1_bn")
        return try network.activated(x, plan)
      },
      top: { (network, x, classCount) throws(GraphError) in
        let width = Double(size == .small ? 1024 : 1280)
        let pooled = GlobalAveragePooling2D(keepsAxes: true)
        var x = try network.add(pooled, network.numbered("global_average_pooling2d"), to: x)
        x = try network.conv(x, alpha > 1 ? roundedChannels(width * alpha) : Int(width), 1, bias: true, "conv_2")
        x = try network.activated(x, plan)
        x = try network.add(Dropout(rate: 0.2), network.numbered("dropout"), to: x)
        x = try network.conv(x, classCount, 1, bias: true, "logits")
        x = try network.add(Flatten(), network.numbered("flatten"), to: x)
        return try network.activated(x, .softmax, "predictions")
      })
  }
}

private let publishedCounts: [String: BackboneFamily.ParameterCounts] = [
  "small 1.0": .init(939_120, 2_554_968),
  "small 0.75": .init(583_160, 2_051_552),
  "small 1.0 minimalistic": .init(441_000, 2_056_848),
  "large 1.0": .init(2_996_352, 5_507_432),
  "large 0.75": .init(1_808_736, 4_012_616),
  "large 1.0 minimalistic": .init(1_437_608, 3_948_688),
]

/// What the blocks of one network are.
private struct Plan: Sendable {
  struct Block {
    var expansion: Double
    var filters: Int
    var window = 3
    var stride = 1
    var squeezes = false
    var usesHardSwish = false

    init(_ expansion: Double, _ filters: Int, _ window: Int, _ stride: Int, squeezes: Bool, hardSwish: Bool) {
      (self.expansion, self.filters, self.window, self.stride) = (expansion, filters, window, stride)
      (self.squeezes, usesHardSwish) = (squeezes, hardSwish)
    }
  }

  let blocks: [Block]
  let isMinimalistic: Bool

  init(_ size: BackboneFamily.MobileNetV3Size, alpha: Double, isMinimalistic: Bool) {
    self.isMinimalistic = isMinimalistic
    func block(
      _ expansion: Double, _ filters: Int, _ window: Int, _ stride: Int, _ squeezes: Bool, _ hardSwish: Bool
    ) -> Block {
      Block(
        expansion, roundedChannels(Double(filters) * alpha), isMinimalistic ? 3 : window, stride,
        squeezes: squeezes && !isMinimalistic, hardSwish: hardSwish && !isMinimalistic)
    }
    blocks =
      switch size {
      case .small:
        [
          block(1, 16, 3, 2, true, false), block(72.0 / 16, 24, 3, 2, false, false),
          block(88.0 / 24, 24, 3, 1, false, false), block(4, 40, 5, 2, true, true), block(6, 40, 5, 1, true, true),
          block(6, 40, 5, 1, true, true), block(3, 48, 5, 1, true, true), block(3, 48, 5, 1, true, true),
          block(6, 96, 5, 2, true, true), block(6, 96, 5, 1, true, true), block(6, 96, 5, 1, true, true),
        ]
      case .large:
        [
          block(1, 16, 3, 1, false, false), block(4, 24, 3, 2, false, false), block(3, 24, 3, 1, false, false),
          block(3, 40, 5, 2, true, false), block(3, 40, 5, 1, true, false), block(3, 40, 5, 1, true, false),
          block(6, 80, 3, 2, false, true), block(2.5, 80, 3, 1, false, true), block(2.3, 80, 3, 1, false, true),
          block(2.3, 80, 3, 1, false, true), block(6, 112, 3, 1, true, true), block(6, 112, 3, 1, true, true),
          block(6, 160, 5, 2, true, true), block(6, 160, 5, 1, true, true), block(6, 160, 5, 1, true, true),
        ]
      }
  }

  static func prefix(_ index: Int) -> String { index == 0 ? "expanded_conv_" : "expanded_conv_\(index)_" }

  /// The channels that go into a block.
  private func inputChannels(_ index: Int) -> Int { index == 0 ? 16 : blocks[index - 1].filters }

  /// Whether a block adds what went into it to what comes out.
  func hasShortcut(_ index: Int) -> Bool { blocks[index].stride == 1 && blocks[index].filters == inputChannels(index) }

  /// A stage ends before each stride of 2; activations carry Keras's automatic numbers.
  var stageEnds: [(name: String, lastLayer: String)] {
    let hardSwishCount = blocks.count { $0.usesHardSwish }
    var ends: [(name: String, lastLayer: String)] = [("stem", isMinimalistic ? "re_lu" : "activation")]
    for index in blocks.indices where index == blocks.count - 1 || blocks[index + 1].stride == 2 {
      ends.append(("stage\(ends.count)", Self.prefix(index) + (hasShortcut(index) ? "add" : "project_bn")))
    }
    let last = isMinimalistic ? "re_lu_\(2 * blocks.count)" : "activation_\(2 * hardSwishCount + 1)"
    return ends + [("top", last)]
  }
}

extension NetworkBuilder {
  /// Hard swish, or ReLU in minimalistic networks.
  fileprivate mutating func activated(_ x: Node, _ plan: Plan) throws(GraphError) -> Node {
    try plan.isMinimalistic
      ? activated(x, .relu(), numbered("re_lu")) : activated(x, .hardSilu, numbered("activation"))
  }

  fileprivate mutating func invertedResidual(_ input: Node, _ plan: Plan, _ index: Int) throws(GraphError) -> Node {
    let block = plan.blocks[index]
    let prefix = Plan.prefix(index)
    let expanded = roundedChannels(Double(channels(of: input)) * block.expansion)
    let activate = { (network: inout NetworkBuilder, x: Node) throws(GraphError) -> Node in
      try block.usesHardSwish
        ? network.activated(x, .hardSilu, network.numbered("activation"))
        : network.activated(x, .relu(), network.numbered("re_lu"))
    }
    var x = input
    if index > 0 {
      x = try conv(x, expanded, 1, "\(prefix)expand")
      x = try normalized(x, momentum: 0.999, "\(prefix)expand_bn")
      x = try activate(&self, x)
    }
    if block.stride == 2 { x = try paddedForStride(x, window: block.window, "\(prefix)depthwise_pad") }
    let padding: Padding = block.stride == 1 ? .same : .valid
    x = try depthwise(x, block.window, stride: block.stride, padding: padding, "\(prefix)depthwise")
    x = try normalized(x, momentum: 0.999, "\(prefix)depthwise_bn")
    x = try activate(&self, x)
    if block.squeezes { x = try squeezedAndExcited(x, expanded, "\(prefix)squeeze_excite_") }
    x = try conv(x, block.filters, 1, "\(prefix)project")
    x = try normalized(x, momentum: 0.999, "\(prefix)project_bn")
    return plan.hasShortcut(index) ? try add(Add(), "\(prefix)add", to: input, x) : x
  }

  /// Every channel times a gate from 0 to 1 that all channels' means decide, cut off linearly.
  private mutating func squeezedAndExcited(_ input: Node, _ filters: Int, _ prefix: String) throws(GraphError) -> Node {
    var x = try add(GlobalAveragePooling2D(keepsAxes: true), "\(prefix)avg_pool", to: input)
    x = try conv(x, roundedChannels(Double(filters) * 0.25), 1, bias: true, "\(prefix)conv")
    x = try activated(x, .relu(), "\(prefix)relu")
    x = try conv(x, filters, 1, bias: true, "\(prefix)conv_1")
    // In Keras these are arithmetic between layers: (x + 3), cut to 0…6, times 1/6.
    x = try add(Rescaling(scale: [1], offset: [3]), numbered("add"), to: x)
    x = try activated(x, .relu(maxValue: 6), numbered("re_lu"))
    x = try add(Rescaling(scale: [1 / 6]), numbered("multiply"), to: x)
    return try add(Multiply(), "\(prefix)mul", to: input, x)
  }
}
