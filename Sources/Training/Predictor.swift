import Engine
import Graphs
import Models
import Tensors

/// Asks a model about pictures.
@EngineActor
package final class Predictor {
  private let plan: Plan

  /// A predictor that computes so many pictures at once.
  package init(_ model: Model, batchSize: Int = 1) throws(EngineError) {
    let parameters = try ParameterBank(graph: model.graph, weights: model.weights)
    plan = try Plan(model.graph, parameters: parameters, options: PlanOptions(batchSize: batchSize))
    precondition(plan.inputs.count == 1, "a model for pictures has one input")
  }

  /// The model's outputs for each picture.
  ///
  /// ## Shapes
  /// - result: picture, output, then the output's numbers
  package func outputs(for requests: [PictureRequest], of source: any PictureSource) throws -> [[[Float]]] {
    let sequence = source.pictures(requests)
    let length = plan.inputs[0].shape.elementCount
    var results: [[[Float]]] = []
    for list in requests[...].chunked(by: plan.batchSize) {
      for place in 0..<list.count {
        try sequence.next(
          into: UnsafeMutableBufferPointer(rebasing: plan.inputs[0].values[place * length..<(place + 1) * length]))
      }
      results += run(list.count)
    }
    return results
  }

  /// The model's outputs for each of some inputs.
  ///
  /// ## Shapes
  /// - input: `[N, H, W, C]`
  /// - result: picture, output, then the output's numbers
  package func outputs(for input: Tensor) -> [[[Float]]] {
    precondition(
      input.shape.rank > 0 && input.shape == plan.inputs[0].shape.batched(input.shape[0]),
      "the model takes \(plan.inputs[0].shape), not \(input.shape)")
    let length = plan.inputs[0].shape.elementCount
    let single = input.elementType == .f32 ? input : input.converted(to: .f32)
    var results: [[[Float]]] = []
    single.withFloats { values in
      for start in stride(from: 0, to: input.shape[0], by: plan.batchSize) {
        let count = min(plan.batchSize, input.shape[0] - start)
        _ = plan.inputs[0].values.update(fromContentsOf: values[start * length..<(start + count) * length])
        results += run(count)
      }
    }
    return results
  }

  private func run(_ count: Int) -> [[[Float]]] {
    plan.inputs[0].values[(count * plan.inputs[0].shape.elementCount)...].update(repeating: 0)
    plan.forward()
    return (0..<count).map { place in
      plan.outputs.map { output in
        let length = output.shape.elementCount
        return Array(output.values[place * length..<(place + 1) * length])
      }
    }
  }
}
