import Backbones
import Engine
import Graphs
import Tensors
import Testing

/// Whole families on generated weights against stock Keras in double precision.
@Suite struct FamilyGoldenTests {
  struct File: Decodable {
    struct Input: Decodable { let shape: [Int] }

    struct Output: Decodable {
      let layer: String
      let output: GoldenArray
    }

    struct Case: Decodable {
      let input: Input
      let includeTop: Bool
      let outputs: [Output]
    }

    let cases: [Case]
  }

  @Test(arguments: ["vgg16", "resnet50", "inceptionv3", "mobilenetv2"], [0, 1])
  func familiesComputeWhatKerasComputes(name: String, place: Int) async throws {
    let golden = try Goldens.read("\(name).json", as: File.self).cases[place]
    let family = try #require(BackboneFamily.named(name))
    let size = Size2D(golden.input.shape[1], golden.input.shape[2])
    let built = try family.graph(size: size, classCount: golden.includeTop ? 1000 : nil)
    try await EngineActor.run { () throws(any Error) in
      var graph = built
      graph.outputs = try golden.outputs.map { try #require(graph.firstNode(of: $0.layer), "\($0.layer)") }
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
      let plan = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: golden.input.shape[0]))
      plan.inputs[0].values.fill("input")
      plan.forward()
      for (port, expected) in zip(plan.outputs, golden.outputs) {
        // ResNet50's logits reach 6e4, so its softmax is all or nothing; the layers before say what there is to say.
        #expect(expected.output.error(of: port.values) < 1e-4, "\(name) at \(size): \(expected.layer)")
      }
    }
  }
}
