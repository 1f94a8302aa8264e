import Engine
import Freezing
import Graphs
import Models
import Tasks
import Tensors
import Testing
import TinyRuns
import Training

/// What a run promises, on a network and pictures small enough to run it many times.
@EngineActor
@Suite struct TrainerTests {
  /// A schedule of both kinds of phases.
  private static let twoPhases = Schedule(phases: [
    Phase(name: "probe", train: .head, epochs: 3, learningRate: .constant(1e-2)),
    Phase(
      name: "tune", train: .head + .stages(last: 1), epochs: 2, learningRate: .cosine(peak: 3e-3, warmUp: 0.2),
      clipping: .globalNorm(1)),
  ])

  private func run(
    _ run: TinyRun = TinyRun(), _ schedule: Schedule = twoPhases, dropout: Float = 0.2, cacheFolder: String? = nil,
    events: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws -> (before: Weights, after: Weights, phases: [PhaseReport], model: Model) {
    let model = try TinyNetwork.model(tasks: run.tasks, dropout: dropout)
    let trainer = try Trainer(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: run.data, schedule: schedule,
      options: run.options, cacheFolder: cacheFolder, events: events)
    let phases = try trainer.run()
    return (model.weights, trainer.parameters.snapshot(), phases, model)
  }

  // MARK: - Which weights go on

  @Test func aPhaseMayLeaveItsLastWeightsWhateverTheScheduleSays() throws {
    var first = Phase(
      name: "first", train: .head, epochs: 3, learningRate: .constant(30), optimizer: .sgd(momentum: 0), restore: .last)
    var losses: [Double] = []
    let (_, alone, _, _) = try run(TinyRun(), Schedule(phases: [first])) { event in
      if case .epoch(let report) = event { losses.append(report.validationLoss ?? .nan) }
    }
    // The first epoch was better than what is left, so that this is a choice.
    #expect((losses.min() ?? .nan) < (losses.last ?? .nan))
    first.restore = nil
    let (_, last, _, _) = try run(TinyRun(), Schedule(phases: [first], restore: .last))
    #expect(alone == last)
  }

  @Test func aPhaseHasToBeBetterThanTheLastWeightsThatItBeganWith() throws {
    let first = Phase(
      name: "first", train: .head, epochs: 3, learningRate: .constant(30), optimizer: .sgd(momentum: 0), restore: .last)
    let better = Phase(name: "second", train: .all, epochs: 1, learningRate: .constant(1e-3))
    var worse = better
    worse.learningRate = .constant(5)
    worse.optimizer = .sgd(momentum: 0)
    worse.clipping = .globalNorm(1)
    let (_, alone, _, _) = try run(TinyRun(), Schedule(phases: [first]))
    var losses: [Double] = []
    let (_, after, phases, _) = try run(TinyRun(), Schedule(phases: [first, better])) { event in
      if case .epoch(let report) = event { losses.append(report.validationLoss ?? .nan) }
    }
    // Worse than the best of the first phase and better than its last: good enough.
    #expect(losses[3] < losses[2] && losses[3] > losses[..<3].min() ?? .nan)
    #expect(after != alone)
    #expect(phases.map(\.bestEpoch) == [3, 1])
    let (_, rescued, again, _) = try run(TinyRun(), Schedule(phases: [first, worse]))
    #expect(rescued == alone)
    #expect(again.map(\.bestEpoch) == [3, 0])
  }

  // MARK: - Frozen means frozen

  @Test(arguments: [ParameterSelection.head, .head + .stages(last: 1), .stage("first"), .trunk, .layer("stem_bn")])
  func whatIsFrozenStaysBitForBit(_ selection: ParameterSelection) throws {
    let schedule = Schedule(
      phases: [Phase(name: "only", train: selection, epochs: 2, learningRate: .constant(1e-2))], restore: .last)
    let (before, after, _, model) = try run(TinyRun(), schedule)
    let trainable = try selection.resolve(in: model.graph, headLayers: Set(model.heads.flatMap(\.layers)))
    for (path, _) in model.graph.parameters {
      #expect((before[path] == after[path]) == !trainable.contains(path), "\(path)")
    }
  }

  @Test func statisticsMoveOnlyWhereAPhaseWantsItAndOnlyInLayersThatTrain() throws {
    let schedule = Schedule(
      phases: [
        Phase(
          name: "only", train: .head + .stages(last: 1), epochs: 1, learningRate: .constant(1e-3),
          batchNormalization: .trainingStatistics)
      ], restore: .last)
    let (before, after, phases, _) = try run(TinyRun(), schedule)
    for layer in ["stem_bn", "first_bn", "second_bn"] {
      for variable in ["moving_mean", "moving_variance"] {
        let path = ParameterPath(layer, variable)
        #expect((before[path] == after[path]) == (layer != "second_bn"), "\(path)")
      }
    }
    #expect(phases[0].microBatchSize == 8)
  }

  // MARK: - The same bits

  @Test(arguments: [TrainingData.Augmentation.none, .flip, .unlimited], [UInt64(1), 2])
  func theSameSeedMakesTheSameBits(_ augmentation: TrainingData.Augmentation, seed: UInt64) throws {
    var tiny = TinyRun()
    tiny.augmentation = augmentation
    tiny.options.seed = seed
    let first = try run(tiny).after
    #expect(try run(tiny).after == first)
    tiny.options.seed = seed + 10
    #expect(try run(tiny).after != first)
  }

  @Test(arguments: [TrainingData.Augmentation.none, .flip, .variants(3), .unlimited], [TrainingPrecision.f32, .bf16])
  func cachedAndUncachedTrainingMakeTheSameBits(
    _ augmentation: TrainingData.Augmentation, precision: TrainingPrecision
  ) throws {
    var tiny = TinyRun()
    tiny.augmentation = augmentation
    tiny.options.precision = precision
    let cached = try run(tiny)
    tiny.options.cachesFeatures = false
    let uncached = try run(tiny)
    #expect(cached.phases.allSatisfy { $0.cached == (augmentation != .unlimited) })
    #expect(!uncached.phases.contains { $0.cached })
    #expect(cached.after == uncached.after)
    #expect(cached.after != cached.before)
  }

  /// Freezes and unfreezes: what is frozen again has changed in the meantime.
  private static let backAndForth = Schedule(
    phases: [
      Phase(name: "head", train: .head, epochs: 2, learningRate: .constant(1e-2)),
      Phase(name: "last", train: .head + .stages(last: 1), epochs: 2, learningRate: .constant(1e-2)),
      Phase(name: "two", train: .head + .stages(last: 2), epochs: 1, learningRate: .constant(1e-2)),
      Phase(name: "head again", train: .head, epochs: 2, learningRate: .constant(1e-2)),
    ], restore: .last)

  @Test func everyPhaseStartsFromWhatIsKeptAndNoPictureIsDecodedTwice() throws {
    var tiny = TinyRun()
    let counter = PictureCounter()
    tiny.counter = counter
    let cached = try run(tiny, Self.backAndForth)
    #expect(cached.phases.allSatisfy { $0.cached })
    // 22 pictures to train on and 8 to validate with.
    #expect(counter.count == 30)
    tiny.options.cachesFeatures = false
    let uncached = try run(tiny, Self.backAndForth)
    #expect(counter.count > 200)
    #expect(cached.after == uncached.after)
  }

  @Test func withLittleMemoryWhatIsNotKeptIsComputedAnew() throws {
    var tiny = TinyRun()
    let whole = try run(tiny, Self.backAndForth).after
    // Room for the vectors of the first phase, 30 of 8 numbers, and not for the images of the others.
    tiny.options.cacheMemoryBudget = 30 * 8 * 4
    let little = try run(tiny, Self.backAndForth)
    #expect(little.phases.map(\.cached) == [true, false, false, true])
    #expect(little.after == whole)
  }

  // MARK: - Parts of a batch

  @Test func accumulatedBatchesAreOneLargeBatch() throws {
    var tiny = TinyRun()
    tiny.options.batchSize = 16
    let large = try run(tiny).after
    tiny.options.batchSize = 8
    let small = try run(tiny).after
    tiny.options.accumulation = 2
    #expect(try run(tiny).after == large)
    #expect(small != large)
  }

  @Test func accumulatedBatchesAreNormalisedOneByOne() throws {
    var tiny = TinyRun()
    tiny.options.accumulation = 2
    var schedule = Schedule(
      phases: [Phase(name: "only", train: .all, epochs: 1, learningRate: .constant(1e-3))], restore: .last)
    schedule.phases[0].batchNormalization = .trainingStatistics
    var steps: [Int] = []
    let phases = try run(tiny, schedule, events: { if case .step(let step) = $0 { steps.append(step.step) } }).phases
    // Of 22 samples two whole batches of 8, in one step.
    #expect(steps == [1])
    #expect(phases[0].microBatchSize == 8)
  }

  @Test func aMemoryBudgetCutsBatchesAndThenRefuses() throws {
    var tiny = TinyRun()
    tiny.options.microBatchSize = 8
    let schedule = Schedule(
      phases: [Phase(name: "only", train: .all, epochs: 1, learningRate: .constant(1e-3))], restore: .last)
    let sizes = try [1 << 20, 1 << 17, 1 << 16].map { budget in
      tiny.options.memoryBudget = budget
      return try run(tiny, schedule).phases[0].microBatchSize
    }
    #expect(sizes.first == 8)
    #expect(zip(sizes, sizes.dropFirst()).allSatisfy(>=))
    let smallest = try #require(sizes.last)
    #expect(smallest < 8)
    let fitted = try run(tiny, schedule).after
    tiny.options.memoryBudget = nil
    tiny.options.microBatchSize = smallest
    #expect(try run(tiny, schedule).after == fitted)
    tiny.options.memoryBudget = 1 << 10
    #expect(throws: EngineError.self) { try run(tiny, schedule) }
  }

  @Test func aBudgetThatALaterPhaseCannotKeepIsRefusedBeforeTheFirstStep() throws {
    var tiny = TinyRun()
    let head = Phase(name: "probe", train: .head, epochs: 1, learningRate: .constant(1e-2))
    let full = Phase(name: "full", train: .all, epochs: 1, learningRate: .constant(1e-3))
    // Just enough for the head.
    let byteCount = try run(tiny, Schedule(phases: [head])).phases[0].arenaBytes
    tiny.options.memoryBudget = byteCount
    #expect(try run(tiny, Schedule(phases: [head])).phases.map(\.arenaBytes) == [byteCount])
    var events = 0
    let error = #expect(throws: EngineError.self) {
      try run(tiny, Schedule(phases: [head, full])) { _ in events += 1 }
    }
    #expect(error?.code == .memory && error?.subject == "phase full")
    #expect(events == 0)
  }

  // MARK: - Features in a file

  @Test func aCacheInAFileMakesTheSameBitsAndLeavesNothingBehind() throws {
    let folder = try TemporaryFolder()
    var tiny = TinyRun()
    let inMemory = try run(tiny).after
    tiny.options.cacheMemoryBudget = 0
    let inFile = try run(tiny, cacheFolder: folder.path)
    #expect(inFile.phases.allSatisfy { $0.cached })
    #expect(inFile.after == inMemory)
    #expect(try folder.contents() == [])
  }

  @Test func withoutRoomForACacheTheFrozenPartRunsAtEveryStep() throws {
    var tiny = TinyRun()
    let inMemory = try run(tiny).after
    tiny.options.cacheMemoryBudget = 0
    var notes: [String] = []
    let without = try run(tiny, cacheFolder: "/nonexistent") { event in
      if case .note(let text) = event { notes.append(text) }
    }
    #expect(notes.count == 2)
    #expect(!without.phases.contains { $0.cached })
    #expect(without.after == inMemory)
  }

  // MARK: - Learning

  @Test func theLossFallsAndTheClassesAreFound() throws {
    var schedule = Self.twoPhases
    schedule.phases[0].epochs = 30
    schedule.phases[1].epochs = 15
    var losses: [Double] = []
    var last: TrainingEvent.EpochReport?
    _ = try run(TinyRun(), schedule) { event in
      guard case .epoch(let report) = event else { return }
      losses.append(report.loss)
      last = report
    }
    #expect(losses.count == 45)
    #expect(losses[44] < losses[0] / 2)
    #expect(try #require(last).validation["class"]?.accuracy == 1)
  }

  @Test func microBatchesAddUpToTheBatch() throws {
    var tiny = TinyRun()
    tiny.options.microBatchSize = 8
    let whole = try run(tiny, Self.plainPhase, dropout: 0).after
    for size in [1, 3, 4] {
      tiny.options.microBatchSize = size
      let parts = try run(tiny, Self.plainPhase, dropout: 0).after
      for (path, tensor) in whole.tensors {
        let (a, b) = (tensor.floats, try #require(parts[path]).floats)
        let largest = a.map(abs).max() ?? 0
        // The same sum in another order: rounding of f32 alone.
        #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-4 * largest + 1e-6 }, "\(path) with parts of \(size)")
      }
    }
  }

  /// Nothing before what trains drops anything, since masks differ with the parts; and no rule that enlarges rounding.
  private static let plainPhase = Schedule(
    phases: [
      Phase(name: "only", train: .stage("second"), epochs: 1, learningRate: .constant(1e-2), optimizer: .sgd())
    ], restore: .last)

  @Test func aPhaseEndsWhenPatienceDoes() throws {
    let phase = Phase(
      name: "only", train: .head, epochs: 50, until: .plateau(patience: 2, minimumDelta: 1e9),
      learningRate: .constant(1e-3))
    let (_, _, phases, _) = try run(TinyRun(), Schedule(phases: [phase]))
    // The first epoch improves on nothing, which is infinitely bad; two more do not improve by enough.
    #expect(phases[0].epochs == 3)
  }

  @Test func theBestWeightsOfAllPhasesAreRestored() throws {
    var schedule = Self.twoPhases
    schedule.phases[0].epochs = 8
    schedule.phases[1].learningRate = .constant(5)
    schedule.phases[1].optimizer = .sgd(momentum: 0)
    var best = Double.infinity
    var lastOfTune = 0.0
    let tiny = TinyRun()
    let (before, after, phases, model) = try run(tiny, schedule) { event in
      guard case .epoch(let report) = event else { return }
      best = min(best, report.validationLoss ?? .infinity)
      lastOfTune = report.validationLoss ?? .infinity
    }
    #expect(lastOfTune > best)
    #expect(phases.last?.bestValidationLoss == best)
    // The ruinous second phase has left nothing behind, in the trunk either.
    #expect(before[ParameterPath("second_conv", "kernel")] == after[ParameterPath("second_conv", "kernel")])
    let graph = try model.logitsGraph()
    let bank = try ParameterBank(graph: graph, weights: after)
    let evaluator = try Evaluator(
      graph: graph, parameters: bank, pictures: tiny.data.pictures, labels: tiny.data.labels, batchSize: 4)
    let measured = try evaluator.measure(tiny.data.validation)
    #expect(abs(measured[0].loss.mean - best) <= 1e-5 * best)
  }

  @Test func aLossThatIsNoNumberEndsTheRunWithASentence() throws {
    let phase = Phase(
      name: "wild", train: .all, epochs: 5, learningRate: .constant(1e30), optimizer: .sgd(momentum: 0))
    let error = #expect(throws: TrainingError.self) { try run(TinyRun(), Schedule(phases: [phase])) }
    #expect(error?.code == .diverged)
    #expect(error?.subject.hasPrefix("phase wild, step ") == true)
    // In one step an epoch the pictures that validate are the first to notice.
    var whole = TinyRun()
    whole.options.batchSize = try whole.data.training.count
    let noticed = #expect(throws: TrainingError.self) { try run(whole, Schedule(phases: [phase])) }
    #expect(noticed?.code == .diverged)
    #expect(noticed?.subject == "phase wild, epoch 1")
  }

  // MARK: - Several tasks

  @Test func twoTasksWithMissingLabelsLearnOnOneTrunk() throws {
    var tiny = TinyRun()
    tiny.tasks = [
      TaskDescription(name: "colour", kind: .classification(classes: ["red", "green", "blue"])),
      TaskDescription(name: "side", kind: .classification(classes: ["left", "right"]), weight: 0.5),
    ]
    tiny.classes = (0..<38).map { $0 % 6 }
    // Every second sample lacks one of its labels, and a few of the others too.
    tiny.labels = tiny.classes.enumerated().map { sample, label in
      [sample % 2 == 0 ? label % 3 : nil, sample % 2 == 1 || sample % 8 == 0 ? label / 3 : nil]
    }
    var schedule = Self.twoPhases
    schedule.phases[0].epochs = 30
    var reports: [TrainingEvent.EpochReport] = []
    _ = try run(tiny, schedule) { event in
      if case .epoch(let report) = event { reports.append(report) }
    }
    let (first, last) = (try #require(reports.first), try #require(reports.last))
    for task in ["colour", "side"] {
      #expect(try #require(last.validation[task]).loss < #require(first.validation[task]).loss)
    }
    // J = (1/n) Σ wᵢ Jᵢ
    let (colour, side) = (try #require(last.validation["colour"]), try #require(last.validation["side"]))
    #expect(try abs(#require(last.validationLoss) - (colour.loss + 0.5 * side.loss) / 2) <= 1e-9)
  }

  @Test func aTaskWithoutLabelsLeavesItsHeadAlone() throws {
    var tiny = TinyRun()
    tiny.tasks.append(TaskDescription(name: "other", kind: .classification(classes: ["a", "b"])))
    tiny.labels = tiny.classes.map { [$0, nil] }
    let phase = Phase(
      name: "only", train: .head, epochs: 1, learningRate: .constant(1e-2), optimizer: .sgd(momentum: 0))
    let (before, after, _, model) = try run(tiny, Schedule(phases: [phase], restore: .last))
    for (head, isTrained) in zip(model.heads, [true, false]) {
      let path = ParameterPath(head.outputLayer, "kernel")
      #expect((before[path] != after[path]) == isTrained)
    }
  }

  @Test func tasksThatDifferFromTheModelsAreRefused() throws {
    let model = try TinyNetwork.model(tasks: TinyRun().tasks)
    var other = TinyRun()
    other.tasks = [TaskDescription(kind: .classification(classes: ["a", "b", "c", "d"]))]
    let error = #expect(throws: TrainingError.self) {
      try Trainer(
        graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: other.data,
        schedule: Self.twoPhases, options: other.options)
    }
    #expect(error?.description == "model: answers class with 3 classes, but the data has class with 4 classes")
  }
}
