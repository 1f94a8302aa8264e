import Graphs
import Tensors

extension BackboneFamily {
  /// ConvNeXt Tiny to XLarge: 7x7 depthwise convolutions and dense layers with layer normalisation.
  ///
  /// Liu et al., 2022. The network begins with its own normalisation by ImageNet's mean and variance; for pictures of one
  /// channel Keras leaves it out. Without a classifier a layer normalisation follows the last stage and belongs to it.
  public static let convNeXts = [
    convNeXt("Tiny", depth: 9, width: 96, counts: ParameterCounts(27_820_128, 28_589_128)),
    convNeXt("Small", depth: 27, width: 96, counts: ParameterCounts(49_454_688, 50_223_688)),
    convNeXt("Base", depth: 27, width: 128, counts: ParameterCounts(87_566_464, 88_591_464)),
    convNeXt("Large", depth: 27, width: 192, counts: ParameterCounts(196_230_336, 197_767_336)),
    convNeXt("XLarge", depth: 27, width: 256, counts: ParameterCounts(348_147_968, 350_196_968)),
  ]

  private static func convNeXt(_ variant: String, depth: Int, width: Int, counts: ParameterCounts) -> BackboneFamily {
    let name = "convnext_\(variant.lowercased())"
    let depths = [3, 3, depth, 3]
    var ends = [(name: "stem", lastLayer: "\(name)_stem/\(name)_stem_layernorm")]
    for stage in depths.indices {
      let last = depths[...stage].reduce(0, +) - 1
      ends.append(("stage\(stage + 1)", "add_\(last)"))
    }
    return BackboneFamily(
      name: "convnext\(variant.lowercased())", title: "ConvNeXt\(variant)",
      aliases: ["convnext-\(variant.lowercased())"], defaultSize: Size2D(224), preprocessing: .insideModel,
      parameterCounts: counts, stageEnds: ends, graphName: { _ in name },
      trunk: { (network, x) throws(GraphError) in
        var x = x
        if network.channels(of: x) == 3 {
          let statistics = Normalization.Statistics(
            mean: [0.485, 0.456, 0.406].map { Float($0 * 255) },
            variance: [0.229, 0.224, 0.225].map { Float(($0 * 255) * ($0 * 255)) })
          x = try network.add(Normalization(statistics), "\(name)_prestem_normalization", to: x)
        }
        let norm = LayerNormalization(epsilon: 1e-6)
        let patches = Conv2D(filters: width, kernelSize: Size2D(4), strides: Size2D(4))
        x = try network.nested(
          "\(name)_stem", on: x, [(patches, "\(name)_stem_conv"), (norm, "\(name)_stem_layernorm")])
        for (stage, depth) in depths.enumerated() {
          if stage > 0 {
            let halving = Conv2D(filters: width << stage, kernelSize: Size2D(2), strides: Size2D(2))
            x = try network.nested(
              "\(name)_downsampling_block_\(stage - 1)", on: x,
              [
                (norm, "\(name)_downsampling_layernorm_\(stage - 1)"),
                (halving, "\(name)_downsampling_conv_\(stage - 1)"),
              ])
          }
          for block in 0..<depth { x = try network.convNeXtBlock(x, "\(name)_stage_\(stage)_block_\(block)") }
        }
        return x
      },
      trunkEnd: { (network, x) throws(GraphError) in
        try network.add(LayerNormalization(epsilon: 1e-6), network.numbered("layer_normalization"), to: x)
      },
      top: { (network, x, classCount) throws(GraphError) in
        var x = try network.add(GlobalAveragePooling2D(), "\(name)_head_gap", to: x)
        x = try network.add(LayerNormalization(epsilon: 1e-6), "\(name)_head_layernorm", to: x)
        return try network.add(Dense(units: classCount, activation: .softmax), "\(name)_head_dense", to: x)
      })
  }
}

extension NetworkBuilder {
  /// A depthwise convolution, a normalisation, and two dense layers with GELU between them, scaled and added.
  fileprivate mutating func convNeXtBlock(_ input: Node, _ name: String) throws(GraphError) -> Node {
    let filters = channels(of: input)
    let depthwise = Conv2D(filters: filters, kernelSize: Size2D(7), padding: .same, groups: filters)
    var x = try add(depthwise, "\(name)_depthwise_conv", to: input)
    x = try add(LayerNormalization(epsilon: 1e-6), "\(name)_layernorm", to: x)
    x = try add(Dense(units: 4 * filters), "\(name)_pointwise_conv_1", to: x)
    x = try activated(x, .gelu(), "\(name)_gelu")
    x = try add(Dense(units: filters), "\(name)_pointwise_conv_2", to: x)
    x = try add(LayerScale(channels: filters), "\(name)_layer_scale", to: x)
    x = try activated(x, .linear, "\(name)_identity")
    // The first sum has no number, as all automatic names; the stages count from it.
    return try add(Add(), numbered("add"), to: input, x)
  }
}
