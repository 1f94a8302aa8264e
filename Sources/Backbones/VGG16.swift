import Graphs
import Tensors

extension BackboneFamily {
  /// Sixteen layers of 3x3 convolutions and dense layers.
  ///
  /// Simonyan and Zisserman, 2015.
  public static let vgg16 = BackboneFamily(
    name: "vgg16", title: "VGG16", defaultSize: Size2D(224), preprocessing: .caffe,
    stageEnds: (1...5).map { (name: "stage\($0)", lastLayer: "block\($0)_pool") },
    graphName: { _ in "vgg16" },
    trunk: { (graph, input) throws(GraphError) in
      var node = input
      for (block, (depth, filters)) in [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)].enumerated() {
        for index in 1...depth {
          let conv = Conv2D(filters: filters, kernelSize: Size2D(3), padding: .same, activation: .relu())
          node = try graph.apply(conv, named: "block\(block + 1)_conv\(index)", to: [node])
        }
        node = try graph.apply(MaxPooling2D(), named: "block\(block + 1)_pool", to: [node])
      }
      return node
    },
    top: { (graph, trunk, classCount) throws(GraphError) in
      var node = try graph.apply(Flatten(), named: "flatten", to: [trunk])
      for name in ["fc1", "fc2"] {
        node = try graph.apply(Dense(units: 4096, activation: .relu()), named: name, to: [node])
      }
      return try graph.apply(Dense(units: classCount, activation: .softmax), named: "predictions", to: [node])
    })
}
