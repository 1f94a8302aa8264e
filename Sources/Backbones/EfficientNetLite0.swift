import Graphs
import Tensors

extension BackboneFamily {
  /// EfficientNet-B0 without squeeze-and-excitation, with ReLU6 for swish.
  ///
  /// Tan and Le, 2019, and the Lite variants of 2020. Named as keras.applications names the layers of EfficientNet. The network begins with its own (x − 127)/128.
  public static let efficientNetLite0 = BackboneFamily(
    name: "efficientnet-lite0", title: "EfficientNet-Lite0", defaultSize: Size2D(224), preprocessing: .insideModel,
    stageEnds: efficientNetLite0StageEnds, inputName: "input", graphName: { _ in "efficientnet-lite0" },
    trunk: { (graph, input) throws(GraphError) in try graph.efficientNetLite0Trunk(on: input) },
    top: { (graph, trunk, classCount) throws(GraphError) in
      var node = try graph.apply(GlobalAveragePooling2D(), named: "avg_pool", to: [trunk])
      node = try graph.apply(Dropout(rate: 0.2), named: "top_dropout", to: [node])
      return try graph.apply(Dense(units: classCount, activation: .softmax), named: "predictions", to: [node])
    })
}

/// Runs of blocks: how many, the depthwise window, the stride of the first, the expansion, and the channels.
private let runs: [(blockCount: Int, window: Int, stride: Int, expansion: Int, filters: Int)] = [
  (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
  (1, 3, 1, 6, 320),
]

private let efficientNetLite0StageEnds: [(name: String, lastLayer: String)] =
  [(name: "stem", lastLayer: "stem_activation")]
  + runs.enumerated().map { index, run in
    let last = blockPrefix(run: index, block: run.blockCount - 1)
    return (name: "stage\(index + 1)", lastLayer: last + (run.blockCount > 1 ? "add" : "project_bn"))
  }
  + [(name: "top", lastLayer: "top_activation")]

/// The beginning of the names of a block's layers: `block1a_`, `block2a_`, `block2b_`.
private func blockPrefix(run: Int, block: Int) -> String { "block\(run + 1)\(Array("abcd")[block])_" }

extension Graph {
  fileprivate mutating func efficientNetLite0Trunk(on input: Node.ID) throws(GraphError) -> Node.ID {
    var node = try apply(
      Rescaling(scale: [1 / 128], offset: [-127 / 128]), named: "rescaling", to: [input])
    node = try convolved(node, filters: 32, window: 3, stride: 2, name: "stem_conv")
    node = try activated(node, normalization: "stem_bn", activation: "stem_activation")
    for (index, run) in runs.enumerated() {
      for block in 0..<run.blockCount {
        node = try invertedResidual(
          on: node, window: run.window, stride: block == 0 ? run.stride : 1, expansion: run.expansion,
          filters: run.filters, prefix: blockPrefix(run: index, block: block))
      }
    }
    node = try convolved(node, filters: 1280, window: 1, stride: 1, name: "top_conv")
    return try activated(node, normalization: "top_bn", activation: "top_activation")
  }

  /// More channels, a depthwise convolution, and fewer channels again, beside a shortcut where that fits.
  private mutating func invertedResidual(
    on input: Node.ID, window: Int, stride: Int, expansion: Int, filters: Int, prefix: String
  ) throws(GraphError) -> Node.ID {
    let channels = nodes[input].outputShape[2]
    var node = input
    if expansion > 1 {
      node = try convolved(
        node, filters: expansion * channels, window: 1, stride: 1, name: "\(prefix)expand_conv")
      node = try activated(node, normalization: "\(prefix)expand_bn", activation: "\(prefix)expand_activation")
    }
    let depthwise = DepthwiseConv2D(
      kernelSize: Size2D(window), strides: Size2D(stride), padding: .same, usesBias: false)
    node = try apply(depthwise, named: "\(prefix)dwconv", to: [node])
    node = try activated(node, normalization: "\(prefix)bn", activation: "\(prefix)activation")
    node = try convolved(node, filters: filters, window: 1, stride: 1, name: "\(prefix)project_conv")
    node = try apply(BatchNormalization(), named: "\(prefix)project_bn", to: [node])
    guard stride == 1, channels == filters else { return node }
    return try apply(Add(), named: "\(prefix)add", to: [node, input])
  }

  private mutating func convolved(
    _ node: Node.ID, filters: Int, window: Int, stride: Int, name: String
  ) throws(GraphError) -> Node.ID {
    let conv = Conv2D(
      filters: filters, kernelSize: Size2D(window), strides: Size2D(stride), padding: .same, usesBias: false)
    return try apply(conv, named: name, to: [node])
  }

  private mutating func activated(
    _ node: Node.ID, normalization: String, activation: String
  ) throws(GraphError) -> Node.ID {
    let normalized = try apply(BatchNormalization(), named: normalization, to: [node])
    return try apply(Activation(.relu(maxValue: 6)), named: activation, to: [normalized])
  }
}
