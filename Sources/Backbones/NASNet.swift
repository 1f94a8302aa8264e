import Graphs
import Tensors

extension BackboneFamily {
  /// NASNet-A mobile and large: cells that a search has found.
  ///
  /// Zoph et al., 2018. Every cell takes the outputs of the two before it. What keeps its resolution stands in normal
  /// cells, what halves it in reduction cells.
  public static let nasNets = [
    nasNet(
      "Mobile", size: 224, cellCount: 4, filters: 44, stem: 32, skips: false,
      counts: ParameterCounts(4_269_716, 5_326_716)),
    nasNet(
      "Large", size: 331, cellCount: 6, filters: 168, stem: 96, skips: true,
      counts: ParameterCounts(84_916_818, 88_949_818)),
  ]

  private static func nasNet(
    _ variant: String, size: Int, cellCount: Int, filters: Int, stem: Int, skips: Bool, counts: ParameterCounts
  ) -> BackboneFamily {
    let name = variant.lowercased()
    // Each of the reductions and cells has activations without names of their own; the last one ends the network.
    let lastActivation = cellCount == 4 ? 187 : 259
    return BackboneFamily(
      name: "nasnet\(name)", title: "NASNet\(variant)", defaultSize: Size2D(size), preprocessing: .tf,
      parameterCounts: counts,
      stageEnds: [
        ("stem", "reduction_concat_stem_2"), ("stage1", "normal_concat_\(cellCount - 1)"),
        ("stage2", "normal_concat_\(2 * cellCount)"), ("stage3", "activation_\(lastActivation)"),
      ], graphName: { _ in "nasnet_\(name)" },
      trunk: { (network, input) throws(GraphError) in
        var x = try network.conv(input, stem, 3, stride: 2, padding: .valid, "stem_conv1")
        x = try network.nasNormalized(x, "stem_bn1")
        var previous: Graph.Node.ID?
        for (name, share) in [("stem_1", 4), ("stem_2", 2)] {
          (x, previous) = (try network.reductionCell(x, previous, filters / share, name), x)
        }
        for (stage, factor) in [1, 2, 4].enumerated() {
          let first = stage * cellCount + (stage > 0 ? 1 : 0)
          if stage > 0 {
            let reduced = try network.reductionCell(x, previous, filters * factor, "reduce_\(stage * cellCount)")
            // The large network goes on with the cell before the reduction's input, the mobile one with that input.
            if !skips { previous = x }
            x = reduced
          }
          for cell in first..<first + cellCount {
            (x, previous) = (try network.normalCell(x, previous, filters * factor, "\(cell)"), x)
          }
        }
        return try network.nasActivated(x)
      },
      top: { (network, x, classCount) throws(GraphError) in
        try network.classified(x, classCount, pooling: network.numbered("global_average_pooling2d"))
      })
  }
}

// MARK: - Cells

extension NetworkBuilder {
  /// A cell that keeps the resolution.
  fileprivate mutating func normalCell(
    _ input: Node, _ previous: Node?, _ filters: Int, _ id: String
  ) throws(GraphError) -> Node {
    let (p, h) = try entered(input, previous, filters, kind: "normal", id)
    var sums: [Node] = [p]
    let left1 = try separables(h, filters, 5, "normal_left1_\(id)")
    let right1 = try separables(p, filters, 3, "normal_right1_\(id)")
    sums.append(try add(Add(), "normal_add_1_\(id)", to: left1, right1))
    let left2 = try separables(p, filters, 5, "normal_left2_\(id)")
    let right2 = try separables(p, filters, 3, "normal_right2_\(id)")
    sums.append(try add(Add(), "normal_add_2_\(id)", to: left2, right2))
    sums.append(try add(Add(), "normal_add_3_\(id)", to: meanPooled(h, 3, "normal_left3_\(id)"), p))
    let left4 = try meanPooled(p, 3, "normal_left4_\(id)")
    let right4 = try meanPooled(p, 3, "normal_right4_\(id)")
    sums.append(try add(Add(), "normal_add_4_\(id)", to: left4, right4))
    sums.append(try add(Add(), "normal_add_5_\(id)", to: separables(h, filters, 3, "normal_left5_\(id)"), h))
    return try join(Concatenate(), "normal_concat_\(id)", sums)
  }

  /// A cell that halves the resolution.
  fileprivate mutating func reductionCell(
    _ input: Node, _ previous: Node?, _ filters: Int, _ id: String
  ) throws(GraphError) -> Node {
    let (p, h) = try entered(input, previous, filters, kind: "reduction", id)
    let padded = try paddedForStride(h, window: 3, "reduction_pad_1_\(id)")
    let left1 = try separables(h, filters, 5, stride: 2, "reduction_left1_\(id)")
    let right1 = try separables(p, filters, 7, stride: 2, "reduction_right1_\(id)")
    let sum1 = try add(Add(), "reduction_add_1_\(id)", to: left1, right1)
    let left2 = try maxPooled(padded, 3, stride: 2, "reduction_left2_\(id)")
    let right2 = try separables(p, filters, 7, stride: 2, "reduction_right2_\(id)")
    let sum2 = try add(Add(), "reduction_add_2_\(id)", to: left2, right2)
    let left3 = try meanPooled(padded, 3, stride: 2, padding: .valid, "reduction_left3_\(id)")
    let right3 = try separables(p, filters, 5, stride: 2, "reduction_right3_\(id)")
    let sum3 = try add(Add(), "reduction_add3_\(id)", to: left3, right3)
    let mean = try meanPooled(sum1, 3, "reduction_left4_\(id)")
    let sum4 = try add(Add(), numbered("add"), to: sum2, mean)
    let left5 = try separables(sum1, filters, 3, "reduction_left4_\(id)")
    let right5 = try maxPooled(padded, 3, stride: 2, "reduction_right5_\(id)")
    let sum5 = try add(Add(), "reduction_add4_\(id)", to: left5, right5)
    return try join(Concatenate(), "reduction_concat_\(id)", [sum2, sum3, sum4, sum5])
  }

  /// What both kinds of cell begin with: the output of the cell before the last, and that of the last in the cell's own
  /// channels.
  private mutating func entered(
    _ input: Node, _ previous: Node?, _ filters: Int, kind: String, _ id: String
  ) throws(GraphError) -> (previous: Node, squeezed: Node) {
    let p = try adjusted(previous, to: input, filters, id)
    let projected = try conv(nasActivated(input), filters, 1, "\(kind)_conv_1_\(id)")
    return (p, try nasNormalized(projected, "\(kind)_bn_1_\(id)"))
  }

  /// The output of the cell before the last, brought to the size and channels of that of the last.
  private mutating func adjusted(
    _ previous: Node?, to input: Node, _ filters: Int, _ id: String
  ) throws(GraphError) -> Node {
    guard let p = previous else { return input }
    // Keras looks at the widths alone.
    guard size(of: p).width == size(of: input).width else { return try halved(p, filters, id) }
    guard channels(of: p) != filters else { return p }
    let projected = try conv(nasActivated(p), filters, 1, "adjust_conv_projection_\(id)")
    return try nasNormalized(projected, "adjust_bn_\(id)")
  }

  /// Every second pixel, and every second pixel from the next one on, side by side.
  private mutating func halved(_ p: Node, _ filters: Int, _ id: String) throws(GraphError) -> Node {
    let active = try activated(p, .relu(), "adjust_relu_1_\(id)")
    var even = try meanPooled(active, 1, stride: 2, padding: .valid, "adjust_avg_pool_1_\(id)")
    even = try conv(even, filters / 2, 1, "adjust_conv_1_\(id)")
    let padding = ZeroPadding2D(padding: Insets2D(bottom: 1, right: 1))
    var odd = try add(padding, numbered("zero_padding2d"), to: active)
    odd = try add(Cropping2D(cropping: Insets2D(top: 1, left: 1)), numbered("cropping2d"), to: odd)
    odd = try meanPooled(odd, 1, stride: 2, padding: .valid, "adjust_avg_pool_2_\(id)")
    odd = try conv(odd, filters / 2, 1, "adjust_conv_2_\(id)")
    return try nasNormalized(join(Concatenate(), numbered("concatenate"), [even, odd]), "adjust_bn_\(id)")
  }

  /// ReLU, a separable convolution and its normalisation, twice; the first may have a stride.
  private mutating func separables(
    _ x: Node, _ filters: Int, _ window: Int, stride: Int = 1, _ id: String
  ) throws(GraphError) -> Node {
    var x = try nasActivated(x)
    if stride == 2 { x = try paddedForStride(x, window: window, "separable_conv_1_pad_\(id)") }
    let padding: Padding = stride == 2 ? .valid : .same
    x = try separable(x, filters, window, stride: stride, padding: padding, "separable_conv_1_\(id)")
    x = try nasActivated(nasNormalized(x, "separable_conv_1_bn_\(id)"))
    x = try separable(x, filters, window, "separable_conv_2_\(id)")
    return try nasNormalized(x, "separable_conv_2_bn_\(id)")
  }

  fileprivate mutating func nasNormalized(_ x: Node, _ name: String) throws(GraphError) -> Node {
    try normalized(x, momentum: 0.9997, name)
  }

  /// ReLU with the next automatic name.
  fileprivate mutating func nasActivated(_ x: Node) throws(GraphError) -> Node {
    try activated(x, .relu(), numbered("activation"))
  }
}
