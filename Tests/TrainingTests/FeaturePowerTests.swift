import Engine
import Freezing
import Graphs
import Testing
import TinyRuns
import Training

/// Rates that are measured in the power of the features.
@EngineActor
@Suite struct FeaturePowerTests {
  @Test(arguments: [true, false]) func theRateIsDividedByOneAndTheMeanSquareLength(isCached: Bool) throws {
    var tiny = TinyRun()
    tiny.options.cachesFeatures = isCached
    let phase = Phase(
      name: "head", train: .head, epochs: 1, learningRate: .constant(2), rateUnit: .featurePower, optimizer: .sgd())
    let model = try TinyNetwork.model(tasks: tiny.tasks)
    let graph = try model.logitsGraph()
    let data = try tiny.data
    var rates: [Double] = []
    let trainer = try Trainer(
      graph: graph, weights: model.weights, heads: model.heads, data: data,
      schedule: Schedule(phases: [phase], restore: .last), options: tiny.options
    ) { event in
      if case .step(let report) = event { rates.append(report.learningRate) }
    }
    _ = try trainer.run()

    let trainable = model.heads.flatMap(\.layers).flatMap { layer in
      graph.parameters(of: layer).map { ParameterPath(layer, $0.name) }
    }
    let prefix = try Plan(
      #require(Frontier(graph, trainable: Set(trainable)).prefix),
      parameters: ParameterBank(graph: graph, weights: model.weights), options: PlanOptions(batchSize: 1))
    let pictures = data.pictures.pictures(data.training.map { PictureRequest($0) })
    var sum = 0.0
    for _ in data.training {
      try pictures.next(into: prefix.inputs[0].values)
      prefix.forward()
      for value in prefix.outputs[0].values.prefix(prefix.outputs[0].shape.elementCount) {
        sum += Double(value) * Double(value)
      }
    }
    let expected = 2 / (1 + sum / Double(data.training.count))
    #expect(rates.count == 3)
    #expect(rates.allSatisfy { abs($0 - expected) < 1e-5 * expected })
  }

  @Test func aRateThatIsGivenIsAnAbsoluteOne() throws {
    let schedule = try Schedule.head.adjusted(learningRate: 1e-3)
    #expect(schedule.phases[0].rateUnit == .absolute)
    #expect(schedule.phases[0].optimizer == .adamW())
    #expect(schedule.phases[0].learningRate.peak == 1e-3)
    let other = try Schedule.probeThenTune.adjusted(optimizer: .lion())
    #expect(other.phases.allSatisfy { $0.optimizer == .lion() && $0.rateUnit == .absolute })
    #expect(abs(other.phases[0].learningRate.peak - 4e-4) < 1e-12)
    #expect(abs(other.phases[1].learningRate.peak - 4e-5) < 1e-12)
  }
}
