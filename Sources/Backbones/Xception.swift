import Graphs
import Tensors

extension BackboneFamily {
  /// Separable convolutions in blocks with shortcuts.
  ///
  /// Chollet, 2017. The convolutions of its shortcuts and its sums carry Keras's automatic numbers.
  public static let xception = BackboneFamily(
    name: "xception", title: "Xception", defaultSize: Size2D(299), minimumSize: Size2D(71), preprocessing: .tf,
    parameterCounts: ParameterCounts(20_861_480, 22_910_480),
    stageEnds: [
      ("stem", "block1_conv2_act"), ("stage1", "add"), ("stage2", "add_1"), ("stage3", "add_10"),
      ("stage4", "block14_sepconv2_act"),
    ],
    trunk: { (network, x) throws(GraphError) in
      var x = try network.conv(x, 32, 3, stride: 2, padding: .valid, "block1_conv1")
      x = try network.normalized(x, "block1_conv1_bn")
      x = try network.activated(x, .relu(), "block1_conv1_act")
      x = try network.conv(x, 64, 3, padding: .valid, "block1_conv2")
      x = try network.normalized(x, "block1_conv2_bn")
      x = try network.activated(x, .relu(), "block1_conv2_act")
      for (block, filters) in [(2, 128), (3, 256), (4, 728)] {
        x = try network.reducingBlock(x, filters, filters, block: block)
      }
      for block in 5...12 {
        var y = x
        for index in 1...3 {
          y = try network.activated(y, .relu(), "block\(block)_sepconv\(index)_act")
          y = try network.normalizedSeparable(y, 728, "block\(block)_sepconv\(index)")
        }
        x = try network.add(Add(), network.numbered("add"), to: y, x)
      }
      x = try network.reducingBlock(x, 728, 1024, block: 13)
      for (index, filters) in [(1, 1536), (2, 2048)] {
        x = try network.normalizedSeparable(x, filters, "block14_sepconv\(index)")
        x = try network.activated(x, .relu(), "block14_sepconv\(index)_act")
      }
      return x
    },
    top: { (network, x, classCount) throws(GraphError) in try network.classified(x, classCount) })
}

extension NetworkBuilder {
  /// Two separable convolutions and a pooling beside a convolution with a stride; half the resolution comes out.
  fileprivate mutating func reducingBlock(
    _ input: Node, _ first: Int, _ second: Int, block: Int
  ) throws(GraphError) -> Node {
    var shortcut = try conv(input, second, 1, stride: 2, numbered("conv2d"))
    shortcut = try normalized(shortcut, numbered("batch_normalization"))
    let name = "block\(block)_sepconv"
    // The second block comes straight from an activation.
    var x = block == 2 ? input : try activated(input, .relu(), "\(name)1_act")
    x = try normalizedSeparable(x, first, "\(name)1")
    x = try activated(x, .relu(), "\(name)2_act")
    x = try normalizedSeparable(x, second, "\(name)2")
    x = try maxPooled(x, 3, stride: 2, padding: .same, "block\(block)_pool")
    return try add(Add(), numbered("add"), to: x, shortcut)
  }

  fileprivate mutating func normalizedSeparable(_ x: Node, _ filters: Int, _ name: String) throws(GraphError) -> Node {
    try normalized(separable(x, filters, 3, name), "\(name)_bn")
  }
}
