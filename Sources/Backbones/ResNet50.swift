import Graphs
import Tensors

extension BackboneFamily {
  /// Fifty layers in bottleneck blocks with shortcuts.
  ///
  /// He et al., 2016. As in Keras, the first 1x1 convolution of a block has the stride.
  public static let resNet50 = BackboneFamily(
    name: "resnet50", title: "ResNet50", aliases: ["resnet50v1"], defaultSize: Size2D(224), preprocessing: .caffe,
    stageEnds: [(name: "stem", lastLayer: "pool1_pool")]
      + [3, 4, 6, 3].enumerated().map { stage, blockCount in
        (name: "stage\(stage + 1)", lastLayer: "conv\(stage + 2)_block\(blockCount)_out")
      },
    graphName: { _ in "resnet50" },
    trunk: { (graph, input) throws(GraphError) in
      var node = try graph.apply(ZeroPadding2D(padding: Insets2D(3)), named: "conv1_pad", to: [input])
      let first = Conv2D(filters: 64, kernelSize: Size2D(7), strides: Size2D(2))
      node = try graph.normalized(first, named: "conv1", to: node)
      node = try graph.apply(Activation(.relu()), named: "conv1_relu", to: [node])
      node = try graph.apply(ZeroPadding2D(), named: "pool1_pad", to: [node])
      node = try graph.apply(
        MaxPooling2D(poolSize: Size2D(3), strides: Size2D(2)), named: "pool1_pool", to: [node])
      for (stage, (blockCount, filters)) in [(3, 64), (4, 128), (6, 256), (3, 512)].enumerated() {
        for block in 1...blockCount {
          node = try graph.bottleneck(
            on: node, filters: filters, stride: block == 1 && stage > 0 ? 2 : 1, projects: block == 1,
            name: "conv\(stage + 2)_block\(block)")
        }
      }
      return node
    },
    top: { (graph, trunk, classCount) throws(GraphError) in
      let node = try graph.apply(GlobalAveragePooling2D(), named: "avg_pool", to: [trunk])
      return try graph.apply(Dense(units: classCount, activation: .softmax), named: "predictions", to: [node])
    })
}

extension Graph {
  /// A convolution and its normalisation, `NAME_conv` and `NAME_bn`.
  fileprivate mutating func normalized(
    _ conv: Conv2D, named name: String, to node: Node.ID
  ) throws(GraphError) -> Node.ID {
    let convolved = try apply(conv, named: "\(name)_conv", to: [node])
    return try apply(BatchNormalization(epsilon: 1.001e-5), named: "\(name)_bn", to: [convolved])
  }

  /// 1x1, 3x3 and 1x1 convolutions beside a shortcut, which is a 1x1 convolution itself where the block `projects`.
  fileprivate mutating func bottleneck(
    on input: Node.ID, filters: Int, stride: Int, projects: Bool, name: String
  ) throws(GraphError) -> Node.ID {
    var shortcut = input
    if projects {
      let projection = Conv2D(filters: 4 * filters, kernelSize: Size2D(1), strides: Size2D(stride))
      shortcut = try normalized(projection, named: "\(name)_0", to: input)
    }
    let convolutions = [
      Conv2D(filters: filters, kernelSize: Size2D(1), strides: Size2D(stride)),
      Conv2D(filters: filters, kernelSize: Size2D(3), padding: .same),
    ]
    var node = input
    for (index, conv) in convolutions.enumerated() {
      node = try normalized(conv, named: "\(name)_\(index + 1)", to: node)
      node = try apply(Activation(.relu()), named: "\(name)_\(index + 1)_relu", to: [node])
    }
    node = try normalized(Conv2D(filters: 4 * filters, kernelSize: Size2D(1)), named: "\(name)_3", to: node)
    node = try apply(Add(), named: "\(name)_add", to: [shortcut, node])
    return try apply(Activation(.relu()), named: "\(name)_out", to: [node])
  }
}
