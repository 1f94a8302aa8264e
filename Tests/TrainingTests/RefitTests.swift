import Engine
import Freezing
import Graphs
import Testing
import TinyRuns
import Training

/// Runs that fit again on the validation samples too what they have chosen with them.
@EngineActor
@Suite struct RefitTests {
  private func train(
    _ tiny: TinyRun, _ schedule: Schedule, on data: TrainingData? = nil,
    events: @escaping (TrainingEvent) throws -> Void = { _ in }
  ) throws -> Trainer {
    let model = try TinyNetwork.model(tasks: tiny.tasks)
    let trainer = try Trainer(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: data ?? tiny.data,
      schedule: schedule, options: tiny.options, events: events)
    _ = try trainer.run()
    return trainer
  }

  private func schedule(_ restore: Schedule.Restore, refit: Bool = true) -> Schedule {
    Schedule(
      phases: [
        Phase(name: "probe", train: .head, epochs: 4, learningRate: .constant(1e-2)),
        Phase(
          name: "tune", train: .head + .stages(last: 1), epochs: 3, learningRate: .cosine(peak: 3e-2, warmUp: 0.2)),
      ], restore: restore, refit: refit)
  }

  @Test(arguments: [TrainingData.Augmentation.none, .flip, .variants(3), .unlimited], [nil, Mixing(mixup: 0.4)])
  func whatIsFittedAgainIsARunOnAllPicturesToTheBit(
    _ augmentation: TrainingData.Augmentation, mixing: Mixing?
  ) throws {
    var tiny = TinyRun()
    tiny.augmentation = augmentation
    tiny.options.mixing = mixing
    let data = try tiny.data
    let all = try TrainingData(
      pictures: data.pictures, labels: data.labels, training: data.training + data.validation,
      validation: data.validation, test: data.test, augmentation: data.augmentation)
    let refitted = try train(tiny, schedule(.last))
    let direct = try train(tiny, schedule(.last, refit: false), on: all)
    #expect(refitted.parameters.snapshot() == direct.parameters.snapshot())
    #expect(refitted.state.optimizer.moments == direct.state.optimizer.moments)
  }

  @Test(arguments: [Schedule.Restore.bestSoFar, .bestOfPhase])
  func eachPhaseTakesTheEpochsThatWereBest(_ restore: Schedule.Restore) throws {
    var epochs: [String: [TrainingEvent.EpochReport]] = [:]
    let trainer = try train(TinyRun(), schedule(restore)) { event in
      if case .epoch(let report) = event { epochs[report.phase, default: []].append(report) }
    }
    let reports = trainer.state.progress.reports
    #expect(reports.map(\.name) == ["probe", "tune", "refit probe", "refit tune"])
    for name in ["probe", "tune"] {
      let losses = (epochs[name] ?? []).compactMap(\.validationLoss)
      let first = try #require(reports.first { $0.name == name })
      let again = try #require(reports.first { $0.name == "refit \(name)" })
      let best = try #require(losses.firstIndex(of: losses.min() ?? .nan)) + 1
      let isBetter = epochs[name]?.contains(where: \.isBest) ?? false
      #expect(first.bestEpoch == (restore == .bestOfPhase || isBetter ? best : 0))
      #expect(again.epochs == first.bestEpoch)
      #expect((epochs["refit \(name)"] ?? []).allSatisfy { $0.validationLoss == nil && !$0.isBest })
    }
  }

  @Test func validationIsWhatWasMeasuredBeforeItTrained() throws {
    let first = try train(TinyRun(), schedule(.bestSoFar, refit: false))
    let refitted = try train(TinyRun(), schedule(.bestSoFar))
    let measured = try first.evaluator().measure(TinyRun().data.validation)
    #expect(refitted.state.progress.validation == ["class": measured[0].metrics])
    #expect(refitted.parameters.snapshot() != first.parameters.snapshot())
  }

  @Test func noPictureIsDecodedMoreOftenThanItHasForms() throws {
    var tiny = TinyRun()
    let counter = PictureCounter()
    tiny.counter = counter
    tiny.augmentation = .flip
    _ = try train(tiny, schedule(.last))
    // Both forms of 30 pictures for what is kept, which also serves to measure what was chosen.
    #expect(counter.count == 2 * 30)
  }

  @Test func whatCannotBeFittedAgainIsRefused() {
    var timed = schedule(.last)
    timed.budget = TimeBudget(seconds: 60)
    #expect(throws: ScheduleError.self) { try timed.validate() }
    var waiting = schedule(.last)
    waiting.phases[0].learningRate = LearningRate(peak: 1e-2, shape: .reduceOnPlateau(RateReduction(patience: 1)))
    #expect(throws: ScheduleError.self) { try waiting.validate() }
    waiting.refit = false
    #expect(throws: Never.self) { try waiting.validate() }
  }
}
