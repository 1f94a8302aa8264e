import Graphs
import Models
import Tasks
import Tensors

/// A backbone of three small stages for pictures of 8 x 8, with everything that freezing has to respect.
package enum TinyNetwork {
  /// What goes in.
  package static let pictureShape: Shape = [8, 8, 3]

  /// Convolutions with batch normalisation, a residual addition that crosses into the last stage, and dropout inside.
  ///
  /// - Parameter noise: What stands in the place of the dropout.
  package static func backbone(
    activation: ActivationFunction = .silu, noise: any Layer = Dropout(rate: 0.1)
  ) throws -> Graph {
    var graph = Graph(name: "tiny")
    let image = try graph.addInput(Input(shape: pictureShape, freeAxes: [0, 1]), named: "image")
    var node = try graph.apply(Rescaling(scale: [1 / 127.5], offset: [-1]), named: "rescaling", to: [image])
    node = try block("stem", filters: 8, strides: 1, on: node, activation, &graph)
    node = try block("first", filters: 8, strides: 2, on: node, activation, &graph)
    let shortcut = node
    node = try graph.apply(noise, named: "second_dropout", to: [node])
    node = try block("second", filters: 8, strides: 1, on: node, activation, &graph)
    node = try graph.apply(Add(), named: "second_add", to: [shortcut, node])
    node = try graph.apply(GlobalAveragePooling2D(), named: "pool", to: [node])
    graph.outputs = [try graph.apply(Dense(units: 7, activation: .softmax), named: "classifier", to: [node])]
    try graph.setStages([("stem", "stem_activation"), ("first", "first_activation"), ("second", "second_add")])
    return graph
  }

  private static func block(
    _ name: String, filters: Int, strides: Int, on node: Graph.Node.ID, _ activation: ActivationFunction,
    _ graph: inout Graph
  ) throws -> Graph.Node.ID {
    let conv = Conv2D(
      filters: filters, kernelSize: Size2D(3), strides: Size2D(strides), padding: .same, usesBias: false)
    let convolved = try graph.apply(conv, named: "\(name)_conv", to: [node])
    let normalized = try graph.apply(BatchNormalization(), named: "\(name)_bn", to: [convolved])
    return try graph.apply(Activation(activation), named: "\(name)_activation", to: [normalized])
  }

  /// The backbone with a random head for each task.
  package static func model(
    tasks: [TaskDescription], dropout: Float = 0.2, noise: any Layer = Dropout(rate: 0.1), seed: UInt64 = 1
  ) throws -> Model {
    let graph = try backbone(noise: noise)
    var model = try Model.fineTuning(
      graph, weights: .generated(for: graph), tasks: tasks, imageSize: Size2D(8),
      head: ClassificationHead(dropoutRate: dropout), seed: seed)
    // A head that begins at zero has no gradient for a trunk that trains without it.
    let layers = model.heads.map(\.outputLayer)
    for (path, tensor) in Weights.initial(for: model.graph, layers: layers, seed: seed).tensors {
      model.weights[path] = tensor
    }
    return model
  }
}
