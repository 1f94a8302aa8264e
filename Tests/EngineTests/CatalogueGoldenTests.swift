import Backbones
import Engine
import Foundation
import Graphs
import Tensors
import Testing

/// Every network in code on generated weights against stock Keras in double precision.
///
/// Of families that share all their code only the smaller members run by default; `GRAFT_ALL_FAMILIES=1` runs all.
@Suite struct CatalogueGoldenTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    struct Input: Decodable {
      let shape: [Int]
      let values: String
    }

    struct Output: Decodable {
      let layer: String
      let output: GoldenArray
    }

    let family: String
    let input: Input
    let includeTop: Bool
    let gain: Float
    let outputs: [Output]

    var testDescription: String { "\(family) at \(input.shape)\(includeTop ? " with its classifier" : "")" }

    static let all: [Case] = {
      struct File: Decodable { let cases: [Case] }
      return (try? Goldens.read("catalogue-outputs.json", as: File.self).cases) ?? []
    }()

    /// Larger members of families whose smaller ones run.
    private static let large = [
      "vgg16", "resnet101", "resnet152", "resnet101v2", "resnet152v2", "densenet169", "densenet201", "nasnetlarge",
      "efficientnetb2", "efficientnetb3", "efficientnetb4", "efficientnetb5", "efficientnetb6", "efficientnetb7",
      "efficientnetv2b1", "efficientnetv2b2", "efficientnetv2b3", "efficientnetv2m", "efficientnetv2l", "convnextsmall",
      "convnextbase", "convnextlarge", "convnextxlarge", "efficientnet-lite2", "efficientnet-lite3",
    ]

    static let chosen =
      ProcessInfo.processInfo.environment["GRAFT_ALL_FAMILIES"] == nil ? all.filter { !large.contains($0.family) } : all
  }

  @Test(arguments: Case.chosen)
  func aNetworkComputesWhatKerasComputes(golden: Case) async throws {
    let family = try #require(BackboneFamily.named(golden.family))
    let size = Size2D(golden.input.shape[1], golden.input.shape[2])
    let built = try family.graph(size: size, classCount: golden.includeTop ? 1000 : nil)
    let weights = Weights.generated(for: built, gain: golden.gain)
    let worst = try await EngineActor.run { () throws(any Error) in
      var graph = built
      graph.outputs = try golden.outputs.map { try #require(graph.firstNode(of: $0.layer), "\($0.layer)") }
      let bank = try ParameterBank(graph: graph, weights: weights)
      let plan = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: golden.input.shape[0]))
      let isPixels = golden.input.values == "255u"
      Tensor(
        generatedFor: "input", shape: Shape(golden.input.shape), factor: isPixels ? 255 : 2,
        summand: isPixels ? 0 : -1
      ).withFloats { _ = plan.inputs[0].values.update(fromContentsOf: $0) }
      plan.forward()
      var worst = 0.0
      for (port, expected) in zip(plan.outputs, golden.outputs) {
        let error = expected.output.error(of: port.values)
        worst = max(worst, error)
        #expect(error < 1e-4, "\(golden.testDescription): \(expected.layer)")
      }
      return worst
    }
    if ProcessInfo.processInfo.environment["GRAFT_ALL_FAMILIES"] != nil { print("\(golden.testDescription): \(worst)") }
  }

  @Test func everyFamilyIsThere() {
    let families = Dictionary(grouping: Case.all, by: \.family)
    for family in BackboneFamily.all { #expect(families[family.name]?.count == 2, "\(family.name)") }
  }
}
