import Engine
import Freezing
import Graphs
import Models
import Testing
import TinyRuns
import Training

/// What a dry run says, beside what then happens.
@EngineActor
@Suite struct RehearsalTests {
  private static let schedule = Schedule(phases: [
    Phase(name: "probe", train: .head, epochs: 2, learningRate: .constant(1e-2)),
    Phase(name: "tune", train: .head + .stages(last: 1), epochs: 3, learningRate: .constant(1e-3)),
    Phase(name: "full", train: .all, steps: 4, learningRate: .constant(1e-3)),
  ])

  @Test(arguments: [TrainingData.Augmentation.none, .flip, .unlimited], [nil, 400_000])
  func itSaysWhatThePhasesThenAre(_ augmentation: TrainingData.Augmentation, budget: Int?) throws {
    var tiny = TinyRun()
    tiny.augmentation = augmentation
    tiny.options.memoryBudget = budget
    let model = try TinyNetwork.model(tasks: tiny.tasks)
    let forecast = try Rehearsal(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, schedule: Self.schedule,
      options: tiny.options
    ).run()
    let trainer = try Trainer(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, schedule: Self.schedule,
      options: tiny.options)
    let phases = try trainer.run()
    #expect(forecast.phases.map(\.name) == phases.map(\.name))
    #expect(forecast.phases.map(\.trainableParameters) == phases.map(\.trainableParameters))
    #expect(forecast.phases.map(\.microBatchSize) == phases.map(\.microBatchSize))
    #expect(forecast.phases.map(\.cached) == phases.map(\.cached))
    #expect(forecast.phases.map(\.arenaBytes) == phases.map(\.arenaBytes))
    #expect(forecast.phases.map(\.epochs) == [2, 3, 2])
    #expect(forecast.phases.map(\.stepsPerEpoch) == [3, 3, 3])
    if let budget { #expect(forecast.phases.allSatisfy { $0.arenaBytes <= budget }) }
  }

  @Test(arguments: [TrainingData.Augmentation.none, .flip, .unlimited])
  func whatIsFittedAgainIsCountedToo(_ augmentation: TrainingData.Augmentation) throws {
    var tiny = TinyRun()
    tiny.augmentation = augmentation
    var schedule = Self.schedule
    schedule.phases.removeLast()
    schedule.restore = .last
    schedule.refit = true
    let model = try TinyNetwork.model(tasks: tiny.tasks)
    let forecast = try Rehearsal(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, schedule: schedule,
      options: tiny.options
    ).run()
    var starts: [TrainingEvent.PhaseStart] = []
    let trainer = try Trainer(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, schedule: schedule,
      options: tiny.options
    ) { event in
      if case .phaseBegan(let start) = event { starts.append(start) }
    }
    let phases = try trainer.run()
    #expect(forecast.phases.map(\.name) == phases.map(\.name))
    #expect(forecast.phases.map(\.cached) == phases.map(\.cached))
    #expect(forecast.phases.map(\.epochs) == phases.map(\.epochs))
    #expect(forecast.phases.map(\.microBatchSize) == starts.map(\.microBatchSize))
    #expect(forecast.phases.map(\.batchSize) == starts.map(\.batchSize))
    // 22 pictures in batches of 8, then 30.
    #expect(forecast.phases.map(\.stepsPerEpoch) == [3, 3, 4, 4])
  }

  @Test func aLaterPhaseMayAskForMorePicturesAtTheSameFrontier() throws {
    // By the statistics of the batch only whole batches train: 16 pictures of 22, and then all of them.
    var first = Phase(name: "first", train: .head + .stages(last: 1), epochs: 1, learningRate: .constant(1e-3))
    first.batchNormalization = .trainingStatistics
    var second = first
    second.name = "second"
    second.batchNormalization = .frozenStatistics
    let tiny = TinyRun()
    let model = try TinyNetwork.model(tasks: tiny.tasks)
    let forecast = try Rehearsal(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data,
      schedule: Schedule(phases: [first, second]), options: tiny.options
    ).run()
    #expect(forecast.phases.map(\.stepsPerEpoch) == [2, 3])
    #expect(forecast.phases.map(\.cached) == [true, true])
    #expect(forecast.phases[0].featureBytes == forecast.phases[1].featureBytes)
  }

  @Test func nothingIsLearnt() throws {
    let tiny = TinyRun()
    let model = try TinyNetwork.model(tasks: tiny.tasks)
    let rehearsal = try Rehearsal(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, schedule: Self.schedule,
      options: tiny.options)
    let forecast = try rehearsal.run()
    #expect(rehearsal.weights == model.weights)
    #expect(forecast.phases.allSatisfy { $0.secondsPerEpoch > 0 && $0.flopsPerStep > 0 })
    // More trains, more is computed.
    let operations = forecast.phases.map(\.flopsPerStep)
    #expect(operations == operations.sorted())
    #expect(forecast.peakResidentBytes > forecast.phases.map(\.arenaBytes).max() ?? 0)
  }
}
