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
    #expect(forecast.phases.map(\.steps) == [6, 9, 4])
    #expect(forecast.phases.map(\.stepsPerEpoch) == [3, 3, 3])
    if let budget { #expect(forecast.phases.allSatisfy { $0.arenaBytes <= budget }) }
  }

  @Test func aMetricOfATaskThatThereIsNotIsRefusedBeforeAnythingRuns() throws {
    let tiny = TinyRun()
    var schedule = Self.schedule
    schedule.phases[1].until = [.plateau(Metric(.loss, task: "nosuch"), patience: 1)]
    let model = try TinyNetwork.model(tasks: tiny.tasks)
    let sentence = "phase tune: waits for validation.nosuch.loss, but there is no task nosuch; the tasks are class"
    let rehearsed = #expect(throws: ScheduleError.self) {
      try Rehearsal(
        graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, schedule: schedule,
        options: tiny.options)
    }
    #expect(rehearsed?.description == sentence)
    let trained = #expect(throws: ScheduleError.self) {
      try Trainer(
        graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, schedule: schedule,
        options: tiny.options)
    }
    #expect(trained?.description == sentence)
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
    let peaks = forecast.phases.map(\.peakResidentBytes)
    #expect(peaks.allSatisfy { $0 > 0 && $0 <= forecast.peakResidentBytes })
    let sum = forecast.phases.reduce(0) { $0 + $1.seconds }
    #expect(abs(forecast.seconds - sum) <= 1e-9 * sum)
  }

  @Test(arguments: [nil, 0, 30 * 8 * 4])
  func itSaysWhereFeaturesGo(cacheBudget: Int?) throws {
    let folder = try TemporaryFolder()
    var tiny = TinyRun()
    tiny.options.precision = .f32
    tiny.options.cacheMemoryBudget = cacheBudget
    var schedule = Self.schedule
    schedule.phases.removeLast()
    let model = try TinyNetwork.model(tasks: tiny.tasks)
    let forecast = try Rehearsal(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, schedule: schedule,
      options: tiny.options
    ).run()
    let phases = try Trainer(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, schedule: schedule,
      options: tiny.options, cacheFolder: folder.path
    ).run()
    #expect(phases.map(\.cached) == [true, true])
    #expect(forecast.phases.map(\.cached) == [true, true])
    #expect(forecast.phases[0].featureBytes == 30 * 8 * 4)
    let places: [Forecast.FeaturePlace] =
      switch cacheBudget {
      case nil: [.memory, .memory]
      case .some(0): [.file, .file]
      default: [.memory, .file]
      }
    #expect(forecast.phases.map(\.featurePlace) == places)
  }

  @Test func whatIsStillToBeChosenIsTheMostThatItMayBe() throws {
    var schedule = Self.schedule
    schedule.phases = [schedule.phases[0], schedule.phases[1]]
    schedule.phases[1].train = .head
    schedule.phases[1].choose = StageChoice(batches: 2, count: 2)
    let tiny = TinyRun()
    let model = try TinyNetwork.model(tasks: tiny.tasks)
    let forecast = try Rehearsal(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, schedule: schedule,
      options: tiny.options
    ).run()
    #expect(forecast.phases.map(\.trains) == ["head", "head and 2 of 3 stages"])
    let phases = try Trainer(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, schedule: schedule,
      options: tiny.options
    ).run()
    #expect(forecast.phases[1].trainableParameters >= phases[1].trainableParameters)
    let whole = model.graph.parameters.filter { $0.parameter.isTrainable }
    #expect(forecast.phases[1].trainableParameters < whole.reduce(0) { $0 + $1.parameter.shape.elementCount })
    #expect(forecast.phases[1].arenaBytes > forecast.phases[0].arenaBytes)
    #expect(forecast.phases[1].microBatchSize == phases[1].microBatchSize)
    #expect(forecast.phases[1].secondsBefore > 0)
  }

  @Test func aPhaseEndsWithItsStepsItsEpochsOrItsTime() {
    func length(_ epochs: Int, _ steps: Int, _ seconds: Double) -> PhasePace.Length {
      PhasePace.Length(epochs: epochs, steps: steps, seconds: seconds)
    }
    // Six steps of a second, and two for the validation.
    let pace = PhasePace(
      stepCount: 18, stepsPerEpoch: 6, secondsBefore: 3, secondsPerStep: 1, secondsPerValidation: 2)
    #expect(pace.length(within: nil) == length(3, 18, 27))
    #expect(pace.length(within: 1000) == length(3, 18, 27))
    var short = pace
    short.stepCount = 2
    #expect(short.length(within: nil) == length(1, 2, 7))
    // The time is over in a step, before the first one, and while the network is measured.
    #expect(pace.length(within: 5.5) == length(1, 3, 8))
    #expect(pace.length(within: 2) == length(1, 1, 6))
    #expect(pace.length(within: 10) == length(2, 7, 14))
    #expect(pace.length(within: 14.5) == length(2, 10, 17))
    var endless = pace
    endless.stepCount = Phase.mostEpochs * 6
    #expect(endless.length(within: 5.5) == length(1, 3, 8))
  }

  @Test func timeBoundsWhatIsSaid() throws {
    let tiny = TinyRun()
    let model = try TinyNetwork.model(tasks: tiny.tasks)
    func forecast(_ schedule: Schedule) throws -> Forecast {
      try Rehearsal(
        graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, schedule: schedule,
        options: tiny.options
      ).run()
    }
    var endless = Phase(
      name: "endless", train: .head, until: .plateau(patience: 3, minimumDelta: 1e-4), learningRate: .constant(1e-2))
    // So little that one step is taken, as the time is looked at after it.
    endless.budget = TimeBudget(seconds: 1e-9)
    let ofPhase = try forecast(Schedule(phases: [endless]))
    #expect(ofPhase.phases.map(\.steps) == [1] && ofPhase.phases.map(\.epochs) == [1])
    endless.budget = nil
    var second = endless
    second.name = "second"
    let ofAll = try forecast(Schedule(phases: [endless, second], budget: TimeBudget(seconds: 1e-9)))
    #expect(ofAll.phases.map(\.steps) == [1, 1])
    // The first one takes all time that there is.
    #expect(ofAll.seconds == ofAll.phases[0].seconds)
  }
}
