import Graphs
import Tensors

/// Two convolutions and a classifier, with or without named stages.
enum SmallBackbone {
  static func graph(stages: Bool, flattens: Bool = false) throws -> Graph {
    var graph = Graph(name: "small")
    let image = try graph.addInput(Input(shape: [16, 16, 3], freeAxes: flattens ? [] : [0, 1]), named: "image")
    var node = try graph.apply(Rescaling(scale: [1 / 255]), named: "rescaling", to: [image])
    for index in 1...2 {
      let conv = Conv2D(filters: 4, kernelSize: Size2D(3), strides: Size2D(index), padding: .same)
      node = try graph.apply(conv, named: "conv\(index)", to: [node])
      node = try graph.apply(Activation(.relu()), named: "relu\(index)", to: [node])
    }
    let pooled =
      flattens
      ? try graph.apply(Flatten(), named: "flatten", to: [node])
      : try graph.apply(GlobalAveragePooling2D(), named: "pool", to: [node])
    graph.outputs = [try graph.apply(Dense(units: 5, activation: .softmax), named: "classifier", to: [pooled])]
    if stages { try graph.setStages([("early", "relu1"), ("late", "relu2")]) }
    return graph
  }
}
