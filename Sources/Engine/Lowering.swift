import Graphs
import Tensors

/// A kind of layer that the engine computes.
@EngineActor protocol Lowerable {
  /// Adds the operations that compute one application of this layer, and gives their result.
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID
}

/// One application of a layer, seen from the layer.
struct LoweringSite {
  /// The layer's name.
  let name: String
  /// The values that go in.
  let inputs: [Program.ValueID]
  /// The shape of one sample of the result.
  let outputShape: Shape
  /// Whether the layer is being trained: dropout drops.
  let isTraining: Bool
  /// Whether a batch normalisation takes its statistics from the batch.
  let usesBatchStatistics: Bool

  /// The path of one of the layer's parameters.
  func path(_ variable: String) -> ParameterPath { ParameterPath(name, variable) }
}

extension Program {
  /// Takes a graph apart.
  ///
  /// - Throws: `EngineError.Code.unsupportedLayer`.
  init(_ graph: Graph, options: PlanOptions) throws(EngineError) {
    self.init(trainable: options.trainable)
    var values: [ValueID] = []
    for node in graph.nodes.indices {
      let name = graph.nodes[node].layer
      let layer = graph.layer(of: node)
      if layer is Input {
        values.append(
          addInput(name, shape: graph.nodes[node].outputShape, needsGradient: options.wantsInputGradients))
        continue
      }
      guard let lowerable = layer as? any Lowerable else {
        throw EngineError(
          .unsupportedLayer, subject: name, detail: "the engine does not compute layers of kind \(type(of: layer).kind)"
        )
      }
      let isTraining = options.trainingLayers.contains(name)
      let site = LoweringSite(
        name: name, inputs: graph.nodes[node].inputs.map { values[$0] }, outputShape: graph.nodes[node].outputShape,
        isTraining: isTraining,
        usesBatchStatistics: isTraining && options.batchNormalization == .trainingStatistics)
      values.append(try lowerable.lower(site, into: &self))
    }
    outputs = graph.outputs.map { (graph.nodes[$0].layer, values[$0]) }
  }
}
