import Backbones
import CAllocations
import Engine
import Freezing
import Graphs
import Models
import Tensors
import Testing
import Training

/// A step takes no memory from the system: everything that it needs is there when the plan is.
@Suite struct AllocationTests {
  private static let cases: [(PlanOptions.BatchNormalizationMode, OptimizerDescription)] = [
    (.frozenStatistics, .sgd()), (.frozenStatistics, .rmsprop(.init(momentum: 0.9))), (.frozenStatistics, .lion()),
    (.frozenStatistics, .lamb()), (.frozenStatistics, .adamW()), (.trainingStatistics, .adamW()),
  ]

  @Test(.enabled(if: allocations_are_counted()), arguments: cases)
  func aStepAllocatesNothing(mode: PlanOptions.BatchNormalizationMode, rule: OptimizerDescription) async throws {
    let family = try #require(BackboneFamily.named("mobilenetv2"))
    let graph = try family.graph(size: Size2D(32), classCount: 10)
    let trainable = Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path))
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
      let plan = try Plan(
        graph, parameters: bank,
        options: PlanOptions(
          batchSize: 2, trainable: trainable, trainingLayers: Set(graph.layerNames), batchNormalization: mode))
      let optimizer = Optimizer(graph: graph, parameters: bank)
      optimizer.pull(towards: bank.snapshot(), strength: 1e-3)
      optimizer.train(plan.gradients, by: rule, clipping: .globalNorm(1))
      let stages = StageGradients(graph.trainableStages(), gradients: plan.gradients, parameters: bank)
      var norms = stages.zeros
      let averages = AveragedWeights(.exponential(0.9), of: trainable, parameters: bank)
      // The first steps fill dictionaries and lists that keep their size.
      for number in 0..<8 {
        if number == 3 { allocations_begin() }
        plan.forward(step: UInt64(number))
        plan.outputGradients[0].update(repeating: 1e-3)
        plan.backward()
        stages.add(to: &norms)
        optimizer.step(learningRate: 1e-3)
        averages.note()
      }
      let found = allocations_end()
      #expect(found.own == 0)
      // oneDNN makes a small table for each primitive that it executes, and a job of 16 KB for a matrix product.
      #expect(found.largest < 1 << 15)
    }
  }
}
