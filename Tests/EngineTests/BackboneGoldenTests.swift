import Engine
import Foundation
import Graphs
import KerasFormats
import Tensors
import Testing

/// The embedded backbone against stock Keras on the same pixels.
@Suite struct BackboneGoldenTests {
  struct File: Decodable {
    struct Layer: Decodable {
      let name: String
      let output: GoldenArray
    }

    let layers: [Layer]
    let logits: [[Double]]
    let probabilities: [[Double]]
  }

  @Test func theEmbeddedBackboneComputesWhatKerasComputes() async throws {
    let golden = try Goldens.read("efficientnet-lite0.json", as: File.self)
    let path = Goldens.folder.deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "pretrained/efficientnet-lite0.h5").path
    let file = try KerasFiles.read(path)
    try await EngineActor.run { () throws(any Error) in
      var graph = file.graph
      graph.outputs += try golden.layers.map { try #require(graph.firstNode(of: $0.name)) }
      let bank = try ParameterBank(graph: graph, weights: file.weights)
      let plan = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: 2))
      Tensor(generatedFor: "input", shape: [plan.inputs[0].values.count], factor: 255, summand: 0).withFloats {
        _ = plan.inputs[0].values.update(fromContentsOf: $0)
      }
      plan.forward()
      for (port, layer) in zip(plan.outputs.dropFirst(), golden.layers) {
        #expect(layer.output.error(of: port.values) < 1e-4, "\(layer.name)")
      }
      for (found, expected) in zip(plan.outputs[0].values, golden.probabilities.joined()) {
        #expect(abs(Double(found) - expected) < 1e-5)
      }
      for (sample, logits) in golden.logits.enumerated() {
        // Softmax forgets a summand that all logits share, so both sides are compared around their means.
        let found = plan.outputs[0].values[(sample * logits.count)..<((sample + 1) * logits.count)].map {
          log(Double($0))
        }
        let (ownMean, mean) = (found.reduce(0, +) / Double(found.count), logits.reduce(0, +) / Double(logits.count))
        let largest = logits.map(abs).max() ?? 0
        let worst = zip(found, logits).map { abs(($0 - ownMean) - ($1 - mean)) }.max() ?? .infinity
        #expect(worst < 1e-4 * largest, "logits of sample \(sample)")
      }
    }
  }
}
