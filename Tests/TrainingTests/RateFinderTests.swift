import Engine
import Freezing
import Graphs
import Models
import Tensors
import Testing
import TinyRuns
import Training

/// A search for a learning rate on the tiny network.
@EngineActor
@Suite struct RateFinderTests {
  private func search(
    _ phase: Phase, _ tiny: TinyRun = TinyRun(), over range: RateRange = RateRange(stepCount: 60)
  ) throws -> (search: RateSearch, before: Weights, after: Weights) {
    let model = try TinyNetwork.model(tasks: tiny.tasks)
    let finder = try RateFinder(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, phase: phase,
      options: tiny.options)
    let search = try finder.run(over: range)
    return (search, model.weights, try TinyNetwork.model(tasks: tiny.tasks).weights)
  }

  @Test func itSuggestsARateAtWhichTheLossFalls() throws {
    let (found, before, after) = try search(
      Phase(name: "probe", train: .head, epochs: 1, learningRate: .constant(1)),
      over: RateRange(lowest: 1e-5, highest: 10, stepCount: 60))
    let rate = try #require(found.suggestion)
    #expect(rate > 1e-4 && rate < 1, "\(rate)")
    let losses = found.steps.map(\.smoothedLoss)
    #expect((losses.min() ?? 0) < losses[5] * 0.7)
    #expect(before == after)
  }

  @Test(arguments: [TrainingData.Augmentation.none, .flip, .unlimited], [UInt64(1), 2])
  func theSameSeedSeesTheSame(_ augmentation: TrainingData.Augmentation, seed: UInt64) throws {
    var tiny = TinyRun()
    tiny.augmentation = augmentation
    tiny.options.seed = seed
    let phase = Phase(name: "tune", train: .head + .stages(last: 1), epochs: 1, learningRate: .constant(1))
    let first = try search(phase, tiny).search
    #expect(try search(phase, tiny).search == first)
    tiny.options.seed = seed + 10
    #expect(try search(phase, tiny).search != first)
  }

  @Test func multipliersOfThePhaseCount() throws {
    var phase = Phase(
      name: "probe", train: .head, epochs: 1, learningRate: .constant(1), optimizer: .sgd(momentum: 0))
    let plain = try search(phase, over: RateRange(lowest: 1e-4, highest: 1, stepCount: 30)).search
    phase.multipliers = RateMultipliers(head: 0.5)
    // Half of twice the rate is the same to the bit.
    let twice = try search(phase, over: RateRange(lowest: 2e-4, highest: 2, stepCount: 30)).search
    #expect(twice.steps.map(\.loss) == plain.steps.map(\.loss))
    let same = try search(phase, over: RateRange(lowest: 1e-4, highest: 1, stepCount: 30)).search
    #expect(same.steps.map(\.loss) != plain.steps.map(\.loss))
  }

  @Test func ratesThatAreFarTooLargeEndIt() throws {
    let (found, _, _) = try search(
      Phase(name: "all", train: .all, epochs: 1, learningRate: .constant(1), optimizer: .sgd()),
      over: RateRange(lowest: 1e-3, highest: 1e6, stepCount: 200))
    #expect(found.hasDiverged)
    #expect(found.steps.count < 200)
  }

  @Test(arguments: [RateRange(lowest: 0), RateRange(lowest: 1, highest: 1), RateRange(stepCount: 3)])
  func rangesThatMakeNoSenseAreRefused(_ range: RateRange) {
    #expect(throws: TrainingError.self) {
      try search(Phase(name: "probe", train: .head, epochs: 1, learningRate: .constant(1)), over: range)
    }
  }
}
