import Engine
import Freezing
import Graphs
import Tensors
import Testing
import Training

@EngineActor
@Suite struct AveragedWeightsTests {
  private static let path = ParameterPath("dense", "kernel")

  private func bank() throws -> ParameterBank {
    var graph = Graph(name: "parameters")
    let input = try graph.addInput(Input(shape: [3]), named: "input")
    graph.outputs = [try graph.apply(Dense(units: 2), named: "dense", to: [input])]
    return try ParameterBank(graph: graph, weights: .generated(for: graph))
  }

  @Test func theMeanFollowsTheWeights() throws {
    let bank = try bank()
    let values = bank.values(at: Self.path)
    values.update(repeating: 1)
    let averages = AveragedWeights(.exponential(0.25), of: [Self.path], parameters: bank)
    var expected = 1.0
    for (step, weight) in [3.0, -2, 5, 0.5].enumerated() {
      values.update(repeating: Float(weight))
      averages.note()
      let decay = min(0.25, Double(2 + step) / Double(11 + step))
      expected = decay * expected + (1 - decay) * weight
      for mean in try #require(averages.weights[Self.path]).floats {
        #expect(abs(Double(mean) - expected) <= 1e-6 * max(1, abs(expected)))
      }
    }
    #expect(averages.stepCount == 4)
    #expect(averages.weights.tensors.count == 1)
  }

  @Test func exchangingTwiceChangesNothing() throws {
    let bank = try bank()
    let averages = AveragedWeights(.exponential(0.9), of: [Self.path], parameters: bank)
    let before = bank.snapshot()
    bank.values(at: Self.path).update(repeating: 7)
    bank.changed([Self.path])
    let trained = bank.snapshot()
    let version = bank.newestVersion(of: [Self.path])
    averages.exchange()
    #expect(bank.snapshot() == before)
    #expect(bank.newestVersion(of: [Self.path]) > version)
    averages.exchange()
    #expect(bank.snapshot() == trained)
  }

  @Test func whatACheckpointKeepsGoesOn() throws {
    let bank = try bank()
    let first = AveragedWeights(.exponential(0.5), of: [Self.path], parameters: bank)
    bank.values(at: Self.path).update(repeating: 7)
    first.note()
    let second = AveragedWeights(.exponential(0.5), of: [Self.path], parameters: bank)
    second.restore(first.weights, stepCount: first.stepCount)
    bank.values(at: Self.path).update(repeating: -3)
    first.note()
    second.note()
    #expect(first.weights == second.weights)
  }
}
