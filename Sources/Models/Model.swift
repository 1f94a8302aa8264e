import Graphs
import Tasks
import Tensors

/// A network with its weights and what is known about it: pictures in, probabilities out.
public struct Model: Sendable {
  /// The network: RGB from 0 to 255 in, one row of probabilities a task out.
  public var graph: Graph
  /// A tensor for every parameter of the network.
  public var weights: Weights
  /// What the file says about itself; nil for a file that other programs wrote.
  public var document: ModelDocument?

  /// A model of a network.
  public init(graph: Graph, weights: Weights, document: ModelDocument? = nil) {
    self.graph = graph
    self.weights = weights
    self.document = document
  }

  /// What the model answers, in the order of its outputs; classes that nobody has named are called by their numbers.
  public var tasks: [TaskDescription] { document?.tasks ?? unnamedAnswers.map(\.task) }

  /// The layers that answer each task.
  public var heads: [Head] { document?.heads ?? unnamedAnswers.map(\.head) }

  /// The shape of the picture that goes in, `[H, W, C]`.
  public var pictureShape: Shape { graph.inputs.first.map { graph.nodes[$0].outputShape } ?? [] }

  /// The network that ends in logits instead of probabilities, with the same weights: what losses are computed on.
  ///
  /// Pixels that only windows with strides read stand in nodes of their own, as `Graph.sampledAhead()` says.
  ///
  /// - Throws: `GraphError` where an output is no softmax.
  public func logitsGraph() throws(GraphError) -> Graph {
    try graph.withLogits(of: heads.map(\.outputLayer)).sampledAhead()
  }

  /// The input of a seed: numbers from 0 to 255 that every machine makes the same, as Graft's generated weights are
  /// made, for the name `parity/SEED`.
  ///
  /// ## Shapes
  /// - result: `[1, H, W, C]`
  package func parityInput(seed: UInt64) -> Tensor {
    Tensor(generatedFor: "parity/\(seed)", shape: pictureShape.batched(1), factor: 255, summand: 0)
  }

  /// A task and a head for each output that is a row of at least two numbers.
  private var unnamedAnswers: [(task: TaskDescription, head: Head)] {
    graph.outputs.enumerated().compactMap { index, node in
      let shape = graph.nodes[node].outputShape
      guard shape.rank == 1, shape[0] > 1 else { return nil }
      let layer = graph.nodes[node].layer
      let name = graph.outputs.count == 1 ? TaskDescription.defaultName : "output\(index + 1)"
      let task = TaskDescription(name: name, kind: .classification(classes: (0..<shape[0]).map { "\($0)" }))
      return (task, Head(task: name, layers: [layer], outputLayer: layer))
    }
  }
}
