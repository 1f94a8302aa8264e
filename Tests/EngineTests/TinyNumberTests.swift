import Backbones
import Engine
import Graphs
import Tensors
import Testing

/// Numbers below the smallest with all its digits, which processors take a hundred times as long for, are zero to the engine.
@Suite struct TinyNumberTests {
  @Test(arguments: [nil, 1])
  func gradientsTooSmallForAllTheirDigitsAreZero(laneCount: Int?) async throws {
    let family = try #require(BackboneFamily.named("mobilenetv2"))
    let graph = try family.graph(size: Size2D(32), classCount: 10)
    let trainable = Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path))
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
      var options = PlanOptions(batchSize: 2, trainable: trainable)
      options.laneCount = laneCount
      let plan = try Plan(graph, parameters: bank, options: options)
      plan.inputs[0].values.fill("input")
      plan.forward()
      plan.outputGradients[0].update(repeating: Float.leastNormalMagnitude / 8)
      plan.backward()
      #expect(plan.gradients.values.allSatisfy { $0.isZero })
      // And to nobody else.
      let tiny = plan.batchSize > 0 ? Float.leastNormalMagnitude : 0
      #expect(tiny / 2 > 0)
    }
  }
}
