import Freezing
import Testing

@Suite struct TriggerTests {
  private func epochsUntil(_ trigger: Trigger, _ values: [Double]) -> Int? {
    var watch = MetricWatch()
    return values.firstIndex { trigger.note($0, in: &watch) }.map { $0 + 1 }
  }

  @Test func aPlateauHasNoImprovementForSoManyEpochs() {
    #expect(epochsUntil(.plateau(patience: 2), [3, 2, 2, 1, 1, 1]) == 6)
    #expect(epochsUntil(.plateau(patience: 2, minimumDelta: 0.5), [3, 2.6, 2.2, 2.2, 2.2]) == 5)
    #expect(epochsUntil(.plateau(.validationAccuracy, patience: 2), [0.5, 0.6, 0.7, 0.6, 0.7]) == 5)
    #expect(epochsUntil(.plateau(patience: 3), [3, 2, 1]) == nil)
  }

  @Test func whatIsNoNumberIsNoImprovement() {
    #expect(epochsUntil(.plateau(patience: 2), [.nan, .nan]) == 2)
    #expect(epochsUntil(.plateau(patience: 2), [1, .nan, 0.5, .nan, .nan]) == 5)
    #expect(epochsUntil(.target(.validationLoss, 1), [.nan, 2]) == nil)
  }

  @Test func aTargetIsReachedFromItsOwnSide() {
    #expect(epochsUntil(.target(.validationLoss, 1), [2, 1.5, 1, 0.5]) == 3)
    #expect(epochsUntil(.target(.validationAccuracy, 0.9), [0.5, 0.95]) == 2)
  }

  @Test(arguments: [
    "validation.loss", "validation.accuracy", "validation.breed.loss", "validation.a.b.accuracy",
  ])
  func aMetricsNameIsReadAndWritten(name: String) throws {
    #expect(try Metric(name).description == name)
  }

  @Test func aTaskMayHaveDotsInItsName() throws {
    #expect(try Metric("validation.a.b.accuracy") == Metric(.accuracy, task: "a.b"))
  }

  @Test(arguments: ["", "loss", "validation", "validation.", "validation..loss", "validation.f1", "test.loss"])
  func whatIsNoMetricIsRefused(name: String) {
    #expect(throws: ScheduleError.self) { try Metric(name) }
  }

  @Test func aMetricOfATaskThatThereIsNotIsRefused() throws {
    let lost = Metric(.loss, task: "nosuch")
    func schedule(until trigger: Trigger, _ rate: LearningRate = .constant(1)) -> Schedule {
      Schedule(phases: [
        Phase(name: "probe", train: .head, epochs: 1, learningRate: .constant(1)),
        Phase(name: "tune", train: .all, epochs: 1, until: trigger, learningRate: rate),
      ])
    }
    try schedule(until: .plateau(patience: 1)).check(tasks: ["breed", "colour"])
    try schedule(until: .target(Metric(.accuracy, task: "breed"), 0.9)).check(tasks: ["breed", "colour"])
    let waiting = LearningRate(peak: 1, shape: .reduceOnPlateau(RateReduction(metric: lost)))
    for wrong in [schedule(until: .plateau(lost, patience: 1)), schedule(until: .plateau(patience: 1), waiting)] {
      let error = #expect(throws: ScheduleError.self) { try wrong.check(tasks: ["breed", "colour"]) }
      #expect(
        error?.description
          == "phase tune: waits for validation.nosuch.loss, but there is no task nosuch; the tasks are breed, colour")
    }
  }

  @Test(arguments: [
    ("10 min", 600, "10 min"), ("90 s", 90, "1 min 30 s"), ("90s", 90, "1 min 30 s"), ("1h30min", 5400, "1 h 30 min"),
    ("1.5 h", 5400, "1 h 30 min"), ("0.25 s", 0.25, "0.25 s"), (" 2 h ", 7200, "2 h"), ("1 s 1 h", 3601, "1 h 1 s"),
  ])
  func aTimeIsReadAndWritten(text: String, seconds: Double, written: String) throws {
    let budget = try TimeBudget(text)
    #expect(budget.seconds == seconds)
    #expect(budget.description == written)
    #expect(try TimeBudget(written) == budget)
  }

  @Test(arguments: ["", "10", "min", "10 m", "ten min", "-3 s", "1e3 s", "10 min 5", "9999999 h", "0 s", "1.2.3 s"])
  func whatIsNoTimeIsRefused(text: String) {
    #expect(throws: ScheduleError.self) { try TimeBudget(text) }
  }
}
