import Backbones
import Engine
import Foundation
import Graphs
import KerasFormats
import Tensors
import Testing

/// Trunks for grey pictures compute what they computed from the same grey in three channels.
@Suite struct GreyTests {
  @Test(arguments: ["mobilenet-0.25", "mobilenetv3small", "efficientnet-lite0"])
  func aGreyTrunkComputesWhatTheColourTrunkComputes(name: String) async throws {
    let family = try #require(BackboneFamily.named(name))
    let whole = try family.graph(size: Size2D(32, 48), classCount: 4)
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("grey-\(UUID().uuidString).h5").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try KerasFiles.write(whole, weights: .generated(for: whole), to: path, format: .wholeModelH5)
    let colour = try Backbone(.file(path))
    let grey = try colour.grey()
    #expect(grey.graph.nodes[grey.graph.inputs[0]].outputShape == [32, 48, 1])
    #expect(grey.graph.stages == colour.graph.stages)
    let pixels = Tensor(generatedFor: "input", shape: [32 * 48], factor: 255, summand: 0).floats
    let expected = try await run(colour, on: pixels.flatMap { [$0, $0, $0] })
    let found = try await run(grey, on: pixels)
    let largest = expected.map(abs).max() ?? 0
    #expect(largest > 0.01)
    #expect(zip(expected, found).allSatisfy { abs($0 - $1) <= 1e-4 * largest })
  }

  @Test(arguments: ["resnet50", "densenet121", "efficientnetb0", "efficientnetv2b0", "convnexttiny"])
  func everyKindOfPreprocessingHasAGreyForm(name: String) throws {
    let family = try #require(BackboneFamily.named(name))
    let whole = try family.graph(size: Size2D(32))
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("grey-\(UUID().uuidString).h5").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try KerasFiles.write(whole, weights: .generated(for: whole), to: path, format: .wholeModelH5)
    let grey = try Backbone(.file(path)).grey()
    #expect(throws: Never.self) { try grey.weights.check(against: grey.graph) }
    #expect(grey.graph.nodes[grey.graph.inputs[0]].outputShape == [32, 32, 1])
  }

  private func run(_ backbone: Backbone, on pixels: [Float]) async throws -> [Float] {
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: backbone.graph, weights: backbone.weights)
      let plan = try Plan(backbone.graph, parameters: bank, options: PlanOptions(batchSize: 1))
      _ = plan.inputs[0].values.update(fromContentsOf: pixels)
      plan.forward()
      return Array(plan.outputs[0].values)
    }
  }
}
