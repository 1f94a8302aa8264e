import Engine
import Freezing
import Graphs
import Models
import Tasks
import Tensors
import Testing
import TinyRuns
import Training

/// The gradients of what trains do not depend on what else trains.
@EngineActor
@Suite struct GradientTests {
  @Test(arguments: [ParameterSelection.head, .head + .stages(last: 1), .stage("first"), .layer("stem_bn"), .trunk])
  func theGradientsOfWhatTrainsEqualThoseOfTheFullyTrainableRun(_ selection: ParameterSelection) throws {
    let tiny = TinyRun()
    let model = try TinyNetwork.model(tasks: tiny.tasks, dropout: 0)
    let graph = try model.logitsGraph()
    let bank = try ParameterBank(graph: graph, weights: model.weights)
    let heads = Set(model.heads.flatMap(\.layers))
    let all = try gradients(graph, bank, ParameterSelection.all.resolve(in: graph, headLayers: heads))
    let some = try gradients(graph, bank, selection.resolve(in: graph, headLayers: heads))
    #expect(!some.isEmpty)
    for (path, gradient) in some {
      let reference = try #require(all[path])
      let difference = zip(gradient, reference).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
      let norm = reference.reduce(0) { $0 + Double($1 * $1) }
      #expect(norm > 0, "\(path)")
      // Smooth activations throughout, so that only rounding differs.
      #expect(difference.squareRoot() <= 3e-4 * norm.squareRoot(), "\(path)")
    }
  }

  /// The gradients of the mean cross-entropy of four pictures, through a frontier as in training.
  private func gradients(
    _ graph: Graph, _ bank: ParameterBank, _ trainable: Set<ParameterPath>
  ) throws -> [ParameterPath: [Float]] {
    let frontier = Frontier(graph, trainable: trainable)
    let pictures = Tensor(generatedFor: "pictures", shape: [4, 8, 8, 3], factor: 255, summand: 0)
    let suffix = try Plan(frontier.suffix, parameters: bank, options: PlanOptions(batchSize: 4, trainable: trainable))
    if let prefix = frontier.prefix {
      let plan = try Plan(prefix, parameters: bank, options: PlanOptions(batchSize: 4))
      pictures.withFloats { _ = plan.inputs[0].values.update(fromContentsOf: $0) }
      plan.forward()
      for (output, input) in zip(plan.outputs, suffix.inputs) {
        _ = input.values.update(fromContentsOf: output.values)
      }
    } else {
      pictures.withFloats { _ = suffix.inputs[0].values.update(fromContentsOf: $0) }
    }
    suffix.forward()
    let loss = SoftmaxCrossEntropy(classCount: 3)
    _ = ([0, 1, 2, 1] as [Int32]).withUnsafeBufferPointer {
      loss.evaluate(
        logits: UnsafeBufferPointer(suffix.outputs[0].values), labels: $0, gradient: suffix.outputGradients[0],
        scale: 0.25)
    }
    suffix.backward()
    return Dictionary(
      uniqueKeysWithValues: suffix.gradients.ranges.map { ($0.path, Array(suffix.gradients.values[$0.range])) })
  }
}
