import Foundation
import Freezing
import Graphs
import Tensors
import Testing

@Suite struct ScheduleTests {
  @Test(arguments: Schedule.presetNames)
  func presetsAreSoundAndSurviveAFile(name: String) throws {
    let schedule = try Schedule.preset(named: name)
    try schedule.validate()
    #expect(schedule.restore == .bestSoFar)
    #expect(schedule.phases.allSatisfy { $0.batchNormalization == .frozenStatistics })
    let data = try JSONEncoder().encode(schedule)
    #expect(try JSONDecoder().decode(Schedule.self, from: data) == schedule)
  }

  @Test func theDefaultTunesAtATenthOfTheProbesRate() throws {
    let phases = Schedule.probeThenTune.phases
    #expect(phases.map(\.train) == [.head, .head + .stages(last: 2)])
    #expect(phases[1].learningRate.peak == phases[0].learningRate.peak / 10)
  }

  @Test func adjustingKeepsTheProportionOfRates() throws {
    let schedule = try Schedule.probeThenTune.adjusted(
      epochs: 3, patience: 2, learningRate: 0.01, optimizer: .sgd(nesterov: true))
    #expect(schedule.phases.map(\.epochs) == [3, 3])
    #expect(schedule.phases.map { $0.until?.patience } == [2, 2])
    #expect(schedule.phases[0].learningRate.peak == 0.01)
    #expect(abs(schedule.phases[1].learningRate.peak - 0.001) <= 1e-18)
    #expect(schedule.phases.allSatisfy { $0.optimizer == .sgd(momentum: 0.9, nesterov: true) })
    #expect(throws: ScheduleError.self) { try Schedule.head.adjusted(epochs: 0) }
  }

  @Test func aScheduleWrittenByHandIsRead() throws {
    let text = """
      {"phases": [
        {"name": "probe", "train": "head", "epochs": 30,
         "until": {"metric": "validation.loss", "patience": 4, "minimumDelta": 1e-4},
         "optimizer": {"adamW": {"learningRate": 2e-3, "weightDecay": 1e-2}}},
        {"name": "tune", "train": "head + stages:last 2", "epochs": 10,
         "learningRate": {"cosine": {"peak": 5e-4, "warmUp": 0.3}}, "optimizer": {"sgd": {"nesterov": true}},
         "clipping": {"globalNorm": 1}, "batchNormalization": "trainingStatistics"}
      ], "restore": "last"}
      """
    let expected = Schedule(
      phases: [
        Phase(
          name: "probe", train: .head, epochs: 30, until: Plateau(patience: 4, minimumDelta: 1e-4),
          learningRate: .constant(2e-3), optimizer: .adamW(weightDecay: 1e-2)),
        Phase(
          name: "tune", train: .head + .stages(last: 2), epochs: 10,
          learningRate: .cosine(peak: 5e-4, warmUp: 0.3), optimizer: .sgd(momentum: 0.9, nesterov: true),
          clipping: .globalNorm(1), batchNormalization: .trainingStatistics),
      ], restore: .last)
    #expect(try JSONDecoder().decode(Schedule.self, from: Data(text.utf8)) == expected)
  }

  @Test(arguments: [
    (#""epoch": 3, "learningRate": 0.1"#, "phase: there is no option epoch; the nearest are epochs, name, train"),
    (#""epochs": 3"#, "phase p: has no learningRate"),
    (
      #""epochs": 3, "learningRate": 0.1, "optimizer": {"adam": {"learningRate": 0.1}}"#,
      "phase p: has a learningRate of its own and one in its optimizer"
    ),
    (#""epochs": 0, "learningRate": 0.1"#, "phase p: epochs must be at least 1, but is 0"),
    (#""epochs": 3, "learningRate": -1"#, "phase p: learningRate must be more than 0, but is -1.0"),
    (
      #""epochs": 3, "learningRate": {"cosine": {"peak": 1, "warmUp": 1}}"#,
      "phase p: warmUp must be at least 0 and below 1, but is 1.0"
    ),
    (#""epochs": 3, "learningRate": 0.1, "optimizer": "adm""#, "optimizer adm: expected sgd, adam or adamW"),
    (
      #""epochs": 3, "learningRate": 0.1, "optimizer": {"sgd": {"momentum": 1}}"#,
      "phase p: momentum must be 0 or more and below 1, but is 1.0"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "until": {"patience": 0}"#,
      "phase p: patience must be at least 1, but is 0"
    ),
    (
      #""epochs": 3, "learningRate": 0.1, "clipping": {"globalNorm": 0}"#,
      "phase p: clipping must be more than 0, but is 0.0"
    ),
  ])
  func aMistakeIsNamedInOneSentence(fields: String, message: String) {
    let text = #"{"phases": [{"name": "p", "train": "head", \#(fields)}]}"#
    let error = #expect(throws: (any Error).self) {
      try JSONDecoder().decode(Schedule.self, from: Data(text.utf8))
    }
    #expect((error as? ScheduleError)?.description == message)
  }

  @Test func phasesHaveDifferentNamesAndThereIsOne() {
    let phase = Phase(name: "p", train: .head, epochs: 1, learningRate: .constant(1))
    #expect(throws: ScheduleError.self) { try Schedule(phases: [phase, phase]).validate() }
    #expect(throws: ScheduleError.self) { try Schedule(phases: []).validate() }
  }

  @Test func onlyKernelsDecay() throws {
    var graph = Graph(name: "network")
    let image = try graph.addInput(Input(shape: [8, 8, 3]), named: "image")
    let conv = try graph.apply(Conv2D(filters: 4, kernelSize: Size2D(3)), named: "conv", to: [image])
    _ = try graph.apply(BatchNormalization(), named: "bn", to: [conv])
    let optimizer = OptimizerDescription.adamW(weightDecay: 0.05)
    let decaying = graph.parameters.filter { optimizer.weightDecay(of: $0.parameter) > 0 }.map(\.path.description)
    #expect(decaying == ["conv/kernel"])
    #expect(graph.parameters.allSatisfy { OptimizerDescription.adam().weightDecay(of: $0.parameter) == 0 })
  }

  @Test func improvementIsMoreThanTheDelta() {
    let plateau = Plateau(patience: 1, minimumDelta: 0.1)
    #expect(plateau.isImprovement(0.8, over: 1))
    #expect(!plateau.isImprovement(0.95, over: 1))
    #expect(!plateau.isImprovement(.nan, over: 1))
    #expect(plateau.isImprovement(5, over: .infinity))
  }
}
