import Foundation
import Freezing
import Graphs
import Tensors
import Testing

@Suite struct ScheduleTests {
  private func read(_ text: String) throws -> Schedule {
    try JSONDecoder().decode(Schedule.self, from: Data(text.utf8))
  }

  @Test func theDefaultTunesAtATenthOfTheProbesRate() throws {
    let phases = Schedule.probeThenTune.phases
    #expect(phases.map(\.train) == [.head, .head + .stages(last: 2)])
    #expect(phases[0].rateUnit == .featurePower && phases[1].rateUnit == .absolute)
  }

  @Test func adjustingKeepsTheProportionOfRates() throws {
    let schedule = try Schedule.probeThenTune.adjusted(
      epochs: 3, patience: 2, learningRate: 0.01, optimizer: .sgd(nesterov: true))
    #expect(schedule.phases.map(\.epochs) == [3, 3])
    #expect(schedule.phases.map(\.until) == [[.plateau(patience: 2)], [.plateau(patience: 2, minimumDelta: 1e-4)]])
    #expect(schedule.phases[0].learningRate.peak == 0.01)
    #expect(abs(schedule.phases[1].learningRate.peak - 0.001) <= 1e-18)
    #expect(schedule.phases.allSatisfy { $0.optimizer == .sgd(momentum: 0.9, nesterov: true) })
    #expect(throws: ScheduleError.self) { try Schedule.head.adjusted(epochs: 0) }
  }

  @Test func patienceWaitsForWhatIsWaitedForAlready() throws {
    let phase = Phase(
      name: "p", train: .head, epochs: 3, until: .target(.validationAccuracy, 0.9), learningRate: .constant(1))
    var waiting = phase
    waiting.name = "q"
    waiting.until = [.plateau(.validationAccuracy, patience: 7), .target(.validationLoss, 0.1)]
    let schedule = try Schedule(phases: [phase, waiting]).adjusted(patience: 2)
    #expect(schedule.phases[0].until == [.target(.validationAccuracy, 0.9), .plateau(patience: 2)])
    #expect(schedule.phases[1].until == [.plateau(.validationAccuracy, patience: 2), .target(.validationLoss, 0.1)])
  }

  @Test func aScheduleWrittenByHandIsRead() throws {
    let text = """
      {"phases": [
        {"name": "probe", "train": "head", "epochs": 30,
         "until": {"metric": "validation.loss", "patience": 4, "minimumDelta": 1e-4},
         "optimizer": {"adamW": {"learningRate": 2e-3, "weightDecay": 1e-2}}},
        {"name": "tune", "train": "head + stages:last 2", "epochs": 10, "steps": 500, "budget": "1 h 30 min",
         "until": [{"patience": 3}, {"metric": "validation.breed.accuracy", "target": 0.95}],
         "learningRate": {"oneCycle": {"peak": 5e-4, "warmUp": 0.2}}, "multipliers": {"head": 2, "stageDecay": 0.4},
         "optimizer": {"sgd": {"nesterov": true}}, "optimizerState": "reset",
         "clipping": {"globalNorm": 1}, "batchNormalization": "trainingStatistics",
         "choose": {"stagesByGradientNorm": {"batches": 2, "count": 1}}, "freezeSettled": {"window": 3}}
      ], "restore": "bestOfPhase", "regularization": {"towardsPretrained": 1e-3}, "average": {"exponential": 0.999},
      "budget": "10 min"}
      """
    let expected = Schedule(
      phases: [
        Phase(
          name: "probe", train: .head, epochs: 30, until: .plateau(patience: 4, minimumDelta: 1e-4),
          learningRate: .constant(2e-3), optimizer: .adamW(weightDecay: 1e-2)),
        Phase(
          name: "tune", train: .head + .stages(last: 2), choose: StageChoice(batches: 2, count: 1), epochs: 10,
          steps: 500, until: .plateau(patience: 3), .target(Metric(.accuracy, task: "breed"), 0.95),
          budget: TimeBudget(seconds: 5400), learningRate: .oneCycle(peak: 5e-4, warmUp: 0.2),
          multipliers: RateMultipliers(head: 2, stageDecay: 0.4), optimizer: .sgd(momentum: 0.9, nesterov: true),
          optimizerState: .reset, clipping: .globalNorm(1), batchNormalization: .trainingStatistics,
          freezeSettled: SettledFreezing(window: 3)),
      ], restore: .bestOfPhase, regularization: .init(towardsPretrained: 1e-3), average: .exponential(0.999),
      budget: TimeBudget(seconds: 600))
    #expect(try read(text) == expected)
  }

  @Test func aPhaseThatDoesNotSayHowLongHasTenEpochs() throws {
    func epochs(_ fields: String) throws -> Int? {
      try read(#"{"phases": [{"name": "p", "train": "all", \#(fields)}]}"#).phases[0].epochs
    }
    #expect(try epochs(#""learningRate": {"cosine": {"peak": 1}}"#) == 10)
    #expect(try epochs(#""learningRate": 1, "until": {"patience": 3}"#) == nil)
    #expect(try epochs(#""learningRate": 1, "budget": "1 h""#) == nil)
    #expect(try epochs(#""learningRate": {"cosine": {"peak": 1}}, "steps": 30"#) == nil)
  }

  @Test func whicheverComesFirstIsTheLengthOfAPhase() {
    var phase = Phase(name: "p", train: .all, epochs: 3, learningRate: .constant(1))
    #expect(phase.stepCount(stepsPerEpoch: 7) == 21 && phase.epochCount(stepsPerEpoch: 7) == 3)
    phase.steps = 15
    #expect(phase.stepCount(stepsPerEpoch: 7) == 15 && phase.epochCount(stepsPerEpoch: 7) == 3)
    phase.steps = 14
    #expect(phase.stepCount(stepsPerEpoch: 7) == 14 && phase.epochCount(stepsPerEpoch: 7) == 2)
    phase.epochs = nil
    #expect(phase.stepCount(stepsPerEpoch: 7) == 14 && phase.epochCount(stepsPerEpoch: 7) == 2)
    phase.steps = nil
    #expect(phase.epochCount(stepsPerEpoch: 7) == Phase.mostEpochs)
  }

  @Test(arguments: 1...100 as ClosedRange<UInt64>)
  func whatIsWrittenIsReadAgain(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let schedule = try Schedule.random(using: &random)
    let data = try JSONEncoder().encode(schedule)
    #expect(try JSONDecoder().decode(Schedule.self, from: data) == schedule)
  }

  @Test(arguments: [
    (#""epoch": 3, "learningRate": 0.1"#, "phase p: there is no option epoch; the nearest are epochs, name, train"),
    (#""epochs": 3"#, "phase p: has no learningRate"),
    (
      #""epochs": 3, "learningRate": 0.1, "optimizer": {"adam": {"learningRate": 0.1}}"#,
      "phase p: has a learningRate of its own and one in its optimizer"
    ),
    (#""epochs": 0, "learningRate": 0.1"#, "phase p: epochs must be at least 1, but is 0"),
    (#""steps": 0, "learningRate": 0.1"#, "phase p: steps must be at least 1, but is 0"),
    (#""epochs": 3, "learningRate": -1"#, "phase p: learningRate must be more than 0, but is -1.0"),
    (
      #""epochs": 3, "learningRate": {"cosine": {"peak": 1, "warmUp": 1}}"#,
      "phase p: warmUp must be at least 0 and below 1, but is 1.0"
    ),
    (
      #""learningRate": {"cosin": {"peak": 1}}"#,
      "phase p: learningRate: there is no option cosin; the nearest are cosine, constant, step"
    ),
    (
      #""learningRate": {"step": {"peak": 1, "period": 3}}"#,
      "phase p: learningRate step: there is no option period; the nearest are peak, warmUp, factor"
    ),
    (#""learningRate": {"cosine": {}}"#, "phase p: learningRate cosine: has no peak"),
    (
      #""learningRate": {"cosine": {"peak": 1}}, "budget": "1 h""#,
      "phase p: has a learningRate that is spread over the phase, and neither epochs nor steps"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "optimizer": "adm""#,
      "phase p: optimizer adm: expected sgd, adam, adamW, rmsprop, lion, lamb"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "optimizer": {"sgd": {"momentum": 1}}"#,
      "phase p: momentum must be 0 or more and below 1, but is 1.0"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "optimizer": {"lion": {"epsilon": 1}}"#,
      "phase p: optimizer lion: there is no option epsilon; the nearest are beta1, beta2, learningRate"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "optimizer": {"rmsprop": {"weightDecay": -1}}"#,
      "phase p: weightDecay must be 0 or more, but is -1.0"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "until": {"patience": 0}"#,
      "phase p: patience must be at least 1, but is 0"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "until": {"metric": "validation.loss"}"#,
      "phase p: until: expected {metric, patience, minimumDelta} or {metric, target}"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "until": {"metric": "validation.accuracy", "target": 95}"#,
      "phase p: target of validation.accuracy must be from 0 to 1, but is 95.0"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "until": {"metric": "training.loss", "patience": 3}"#,
      "phase p: metric training.loss: expected validation.loss or validation.accuracy, or of one task "
        + "validation.TASK.loss"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "clipping": {"globalNorm": 0}"#,
      "phase p: clipping must be more than 0, but is 0.0"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "budget": "10 minutes""#,
      "phase p: budget 10 minutes: expected a time such as 10 min, 90 s or 1 h 30 min"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "batchNormalization": "frozen""#,
      "phase p: batchNormalization must be one of frozenStatistics, trainingStatistics, affineOnly, but is frozen"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "multipliers": {"stageDecay": 0.4, "layerDecay": 0.7}"#,
      "phase p: multipliers must have stageDecay or layerDecay, but have both"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "multipliers": {"stageDecay": 2.6}"#,
      "phase p: stageDecay must be more than 0 and at most 1, but is 2.6"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "choose": {"stagesByGradientNorm": {"count": 0}}"#,
      "phase p: count must be at least 1, but is 0"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "freezeSettled": {"threshold": 0}"#,
      "phase p: threshold must be more than 0 and below 1, but is 0.0"
    ),
    (#""epochs": "many", "learningRate": 0.1"#, "phase p: epochs must be of type Int"),
    (#""learningRate": 0.1, "clipping": 3"#, "phase p: clipping: expected options by name: globalNorm, norm, value"),
  ])
  func aMistakeIsNamedInOneSentence(fields: String, message: String) {
    let error = #expect(throws: (any Error).self) {
      try read(#"{"phases": [{"name": "p", "train": "head", \#(fields)}]}"#)
    }
    #expect((error as? ScheduleError)?.description == message)
  }

  @Test(arguments: [
    (#""restore": "best""#, "schedule: restore must be one of bestSoFar, bestOfPhase, last, but is best"),
    (#""average": {"exponential": 1}"#, "average: exponential must be 0 or more and below 1, but is 1.0"),
    (#""average": 0.9"#, "average: expected options by name: exponential"),
    (
      #""regularization": {"towardsPretrained": -1}"#,
      "regularization: towardsPretrained must be 0 or more, but is -1.0"
    ),
    (#""budgets": 3"#, "schedule: there is no option budgets; the nearest are budget, phases, refit"),
    (#""budget": "0 s""#, "budget 0 s: budget must be more than 0 and at most a year"),
  ])
  func aMistakeInTheWholeIsNamedInOneSentence(fields: String, message: String) {
    let error = #expect(throws: (any Error).self) {
      try read(#"{"phases": [{"name": "p", "train": "head", "learningRate": 1}], \#(fields)}"#)
    }
    #expect((error as? ScheduleError)?.description == message)
  }

  @Test func aPhaseWithoutANameIsNamedByItsPlace() {
    let named = #"{"name": "p", "train": "head", "learningRate": 1}"#
    for (phase, sentence) in [
      (#"{"train": "head", "learningRate": 1}"#, "phase number 2: has no name"),
      (#"{"train": "haed", "learningRate": 1, "name": ""}"#, "phase number 2: selection \"haed\": expected all, none"),
      ("3", "phase number 2: expected options by name: name, train"),
    ] {
      let error = #expect(throws: ScheduleError.self) { try read(#"{"phases": [\#(named), \#(phase)]}"#) }
      #expect(error?.description.hasPrefix(sentence) == true, "\(error?.description ?? "")")
    }
  }

  @Test func phasesHaveDifferentNamesAndThereIsOne() {
    let phase = Phase(name: "p", train: .head, epochs: 1, learningRate: .constant(1))
    #expect(throws: ScheduleError.self) { try Schedule(phases: [phase, phase]).validate() }
    #expect(throws: ScheduleError.self) { try Schedule(phases: []).validate() }
    var nothing = phase
    nothing.train = .none
    #expect(throws: ScheduleError.self) { try nothing.validate() }
    nothing.choose = StageChoice()
    #expect(throws: Never.self) { try nothing.validate() }
    var endless = phase
    endless.epochs = nil
    #expect(throws: ScheduleError.self) { try endless.validate() }
  }

  @Test func onlyKernelsDecay() throws {
    var graph = Graph(name: "network")
    let image = try graph.addInput(Input(shape: [8, 8, 3]), named: "image")
    let conv = try graph.apply(Conv2D(filters: 4, kernelSize: Size2D(3)), named: "conv", to: [image])
    _ = try graph.apply(BatchNormalization(), named: "bn", to: [conv])
    let rules: [OptimizerDescription] = [
      .sgd(weightDecay: 0.05), .adamW(weightDecay: 0.05), .rmsprop(weightDecay: 0.05), .lion(weightDecay: 0.05),
      .lamb(weightDecay: 0.05),
    ]
    for rule in rules {
      let decaying = graph.parameters.filter { rule.weightDecay(of: $0.parameter) > 0 }.map(\.path.description)
      #expect(decaying == ["conv/kernel"])
    }
    #expect(graph.parameters.allSatisfy { OptimizerDescription.adam().weightDecay(of: $0.parameter) == 0 })
  }

  @Test func anAverageBeginsSoonAndSlowsDown() {
    let average = Schedule.Average.exponential(0.9)
    #expect(average.decay(atStep: 1) == 2.0 / 11)
    #expect(average.decay(atStep: 17) == 18.0 / 27)
    #expect(average.decay(atStep: 1000) == 0.9)
  }
}

extension Schedule {
  static func random(using random: inout SeededGenerator) throws -> Schedule {
    func coin() -> Bool { random.next() % 2 == 0 }
    func share() -> Double { .random(in: 0.01...0.99, using: &random) }
    func any<Element>(_ list: [Element]) -> Element { list[Int(random.next() % UInt64(list.count))] }
    var phases: [Phase] = []
    for index in 0...Int(random.next() % 3) {
      var phase = Phase(
        name: "phase \(index)", train: try ParameterSelection.random(depth: 2, using: &random) + .head,
        epochs: 1 + Int(random.next() % 99), learningRate: .random(using: &random))
      if coin() { phase.steps = 1 + Int(random.next() % 999) }
      let triggers: [Trigger] = [
        .plateau(patience: 3), .plateau(.validationAccuracy, patience: 1, minimumDelta: share()),
        .target(Metric(.loss, task: "a.b"), share()),
      ]
      phase.until = Array(triggers.shuffled(using: &random).prefix(Int(random.next() % 3)))
      if coin() { phase.budget = TimeBudget(seconds: Double(random.next() % 100_000 + 1) / 4) }
      if coin() { phase.multipliers = RateMultipliers(head: 2 * share(), stageDecay: share()) }
      if coin() { phase.multipliers = RateMultipliers(layerDecay: share()) }
      phase.optimizer = any([
        .sgd(momentum: share(), nesterov: coin(), weightDecay: share()), .adam(), .adamW(weightDecay: share()),
        .rmsprop(.init(rho: share(), momentum: share())), .lion(beta1: share()), .lamb(.init(beta2: share())),
      ])
      phase.optimizerState = any(Phase.OptimizerState.allCases)
      phase.clipping = any([nil, .globalNorm(share()), .norm(share()), .value(share())])
      phase.batchNormalization = any(Phase.BatchNormalizationMode.allCases)
      if coin() { phase.choose = StageChoice(count: 3, chosen: coin() ? ["a", "b c"] : nil) }
      if coin() { phase.freezeSettled = SettledFreezing(threshold: share()) }
      phase.restore = any([nil] + Restore.allCases)
      phases.append(phase)
    }
    return Schedule(
      phases: phases, restore: any(Restore.allCases), regularization: coin() ? .init(towardsPretrained: share()) : nil,
      average: coin() ? .exponential(share()) : nil, budget: coin() ? TimeBudget(seconds: 90) : nil)
  }
}
