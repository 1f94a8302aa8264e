import Engine
import Graphs
import Tensors
import Testing

/// What a plan computes with one, two and four threads.
@Suite struct ThreadTests {
  @Test(arguments: [PlanOptions.BatchNormalizationMode.frozenStatistics, .trainingStatistics])
  func gradientsAreTheSameWithAnyNumberOfThreads(mode: PlanOptions.BatchNormalizationMode) async throws {
    let graph = try PlanTests.smoothNetwork()
    try await EngineActor.run { () throws(any Error) in
      let before = EngineThreads.use(0)
      defer { EngineThreads.use(before) }
      let alone = try Self.step(graph, mode, threads: 1, laneCount: 1)
      for (threads, inLanes) in [(2, false), (4, false), (2, true), (4, true)] {
        let found = try Self.step(graph, mode, threads: threads, laneCount: inLanes ? threads : 1)
        for (path, gradient) in alone {
          let other = try #require(found[path])
          let difference = zip(gradient, other).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
          let size = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }
          // The same sums, cut into other parts.
          #expect(difference <= 1e-10 * max(size, 1e-6), "\(threads) threads: \(path)")
        }
        let again = try Self.step(graph, mode, threads: threads, laneCount: inLanes ? threads : 1)
        #expect(again == found, "\(threads) threads twice")
      }
    }
  }

  /// A head has computed before another thread has woken, so that one thread does everything.
  @Test func smallPlansComputeTheSameBitsWithAnyNumberOfThreads() async throws {
    var graph = Graph(name: "head")
    let features = try graph.addInput(Input(shape: [1280]), named: "features")
    let dropped = try graph.apply(Dropout(rate: 0.3), named: "dropout", to: [features])
    graph.outputs = [try graph.apply(Dense(units: 10), named: "head", to: [dropped])]
    try await EngineActor.run { [graph] () throws(any Error) in
      let before = EngineThreads.use(0)
      defer { EngineThreads.use(before) }
      let alone = try Self.step(graph, .frozenStatistics, threads: 1, laneCount: nil)
      for threads in [2, 4] {
        let found = try Self.step(graph, .frozenStatistics, threads: threads, laneCount: nil)
        #expect(found == alone, "\(threads) threads")
        #expect(EngineThreads.use(0) == threads, "a plan leaves the number of threads as it was")
      }
    }
  }

  /// The gradients of one step.
  @EngineActor private static func step(
    _ graph: Graph, _ mode: PlanOptions.BatchNormalizationMode, threads: Int, laneCount: Int?
  ) throws -> [ParameterPath: [Float]] {
    EngineThreads.use(threads)
    let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
    var options = PlanOptions(
      batchSize: 4, trainable: Set(PlanTests.trainable(graph)), trainingLayers: Set(graph.layerNames),
      batchNormalization: mode, seed: 3)
    options.laneCount = laneCount
    let plan = try Plan(graph, parameters: bank, options: options)
    plan.inputs[0].values.fill("input")
    plan.forward(step: 1)
    plan.outputGradients[0].fill("gradient")
    plan.backward()
    return Dictionary(
      uniqueKeysWithValues: plan.gradients.ranges.map { ($0.path, Array(plan.gradients.values[$0.range])) })
  }
}
