import Engine
import Freezing
import Graphs
import Tasks
import Tensors
import Testing
import TinyRuns
import Training

@EngineActor
@Suite struct StageGradientsTests {
  @Test func normsAreThoseOfAllParametersOfAStage() throws {
    let graph = try TinyNetwork.backbone()
    let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
    let trainable = try ParameterSelection("stages:last 2").resolve(in: graph, headLayers: ["pool", "classifier"])
    let plan = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: 1, trainable: trainable))
    let stages = graph.trainableStages(headLayers: ["pool", "classifier"])
    let measured = StageGradients(stages, gradients: plan.gradients, parameters: bank)
    var sums: [String: (gradient: Double, weights: Double)] = [:]
    for (index, (path, range)) in plan.gradients.ranges.enumerated() {
      let value = Float(index + 1) / 8
      UnsafeMutableBufferPointer(rebasing: plan.gradients.values[range]).update(repeating: value)
      let stage = try #require(stages.first { $0.layers.contains(path.layer) }).name
      sums[stage, default: (0, 0)].gradient += Double(value * value) * Double(range.count)
      sums[stage]?.weights += bank.values(at: path).reduce(0) { $0 + Double($1) * Double($1) }
    }
    let norms = measured.norms
    #expect(norms.map(\.stage) == ["first", "second"])
    for stage in norms {
      let expected = try #require(sums[stage.stage])
      #expect(abs(stage.gradient - expected.gradient.squareRoot()) <= 1e-9 * expected.gradient.squareRoot())
      #expect(abs(stage.weights - expected.weights.squareRoot()) <= 1e-9 * expected.weights.squareRoot())
    }
    var totals = measured.zeros
    measured.add(to: &totals)
    for index in plan.gradients.values.indices { plan.gradients.values[index] *= 3 }
    measured.add(to: &totals)
    #expect(measured.stages == ["first", "second"])
    for (total, norm) in zip(totals, norms) { #expect(abs(total - 4 * norm.gradient) <= 1e-6 * norm.gradient) }
  }
}
