import Graphs
import Tensors

extension BackboneFamily {
  /// Residual networks of 50, 101 and 152 layers, each block normalised before its convolutions.
  ///
  /// He et al., 2016: "Identity mappings in deep residual networks". The last block of a stage has the stride.
  public static let resNetV2s = [
    resNetV2(blockCounts: [3, 4, 6, 3], counts: ParameterCounts(23_564_800, 25_613_800)),
    resNetV2(blockCounts: [3, 4, 23, 3], counts: ParameterCounts(42_626_560, 44_675_560)),
    resNetV2(blockCounts: [3, 8, 36, 3], counts: ParameterCounts(58_331_648, 60_380_648)),
  ]

  private static func resNetV2(blockCounts: [Int], counts: ParameterCounts) -> BackboneFamily {
    let layerCount = 3 * blockCounts.reduce(0, +) + 2
    var ends = [(name: "stem", lastLayer: "pool1_pool")]
    for (stage, blockCount) in blockCounts.enumerated() {
      let last = stage == blockCounts.count - 1 ? "post_relu" : "conv\(stage + 2)_block\(blockCount)_out"
      ends.append(("stage\(stage + 1)", last))
    }
    return BackboneFamily(
      name: "resnet\(layerCount)v2", title: "ResNet\(layerCount)V2", defaultSize: Size2D(224), preprocessing: .tf,
      parameterCounts: counts, stageEnds: ends,
      trunk: { (network, x) throws(GraphError) in
        var x = try network.resNetPool(network.resNetStem(x))
        for (stage, blockCount) in blockCounts.enumerated() {
          for block in 1...blockCount {
            let isLast = block == blockCount && stage < blockCounts.count - 1
            x = try network.preActivatedBottleneck(
              x, 64 << stage, stride: isLast ? 2 : 1, projects: block == 1, "conv\(stage + 2)_block\(block)")
          }
        }
        x = try network.normalized(x, epsilon: resNetEpsilon, "post_bn")
        return try network.activated(x, .relu(), "post_relu")
      },
      top: { (network, x, classCount) throws(GraphError) in try network.classified(x, classCount) })
  }
}

extension NetworkBuilder {
  /// Normalisation and ReLU, then 1x1, 3x3 and 1x1 convolutions beside a shortcut.
  ///
  /// The shortcut is a 1x1 convolution where the block `projects`, and every second pixel where it has a stride.
  fileprivate mutating func preActivatedBottleneck(
    _ input: Node, _ filters: Int, stride: Int, projects: Bool, _ name: String
  ) throws(GraphError) -> Node {
    var active = try normalized(input, epsilon: resNetEpsilon, "\(name)_preact_bn")
    active = try activated(active, .relu(), "\(name)_preact_relu")
    var shortcut = input
    if projects {
      shortcut = try conv(active, 4 * filters, 1, stride: stride, padding: .valid, bias: true, "\(name)_0_conv")
    } else if stride > 1 {
      shortcut = try maxPooled(input, 1, stride: stride, numbered("max_pooling2d"))
    }
    var x = try conv(active, filters, 1, padding: .valid, "\(name)_1_conv")
    x = try normalized(x, epsilon: resNetEpsilon, "\(name)_1_bn")
    x = try activated(x, .relu(), "\(name)_1_relu")
    x = try add(ZeroPadding2D(), "\(name)_2_pad", to: x)
    x = try conv(x, filters, 3, stride: stride, padding: .valid, "\(name)_2_conv")
    x = try normalized(x, epsilon: resNetEpsilon, "\(name)_2_bn")
    x = try activated(x, .relu(), "\(name)_2_relu")
    x = try conv(x, 4 * filters, 1, padding: .valid, bias: true, "\(name)_3_conv")
    return try add(Add(), "\(name)_out", to: shortcut, x)
  }
}
