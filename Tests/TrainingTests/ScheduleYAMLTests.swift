import Foundation
import Freezing
import Graphs
import Testing
import TinyRuns
import Training

@Suite struct ScheduleYAMLTests {
  private static let handwritten = """
    phases:
      - name: probe
        train: head
        epochs: 30
        until: {metric: validation.loss, patience: 4, minimumDelta: 1e-4}
        optimizer: {adamW: {learningRate: 2e-3, weightDecay: 1e-2}}
      - name: unfreeze
        train: head + stages:last 2
        learningRate: {oneCycle: {peak: 5e-4, warmUp: 0.3}}
        multipliers: {head: 1, stageDecay: 0.4}  # discriminative: each stage further down by this factor
        batchNormalization: frozenStatistics     # or trainingStatistics, or affineOnly
        budget: 10 min
    restore: bestOfPhase                         # before the next phase and at the end
    regularization: {towardsPretrained: 1e-3}    # L2-SP
    average: {exponential: 0.999}                # weights averaged for evaluation
    """

  private static let meant = Schedule(
    phases: [
      Phase(
        name: "probe", train: .head, epochs: 30, until: .plateau(patience: 4, minimumDelta: 1e-4),
        learningRate: .constant(2e-3), optimizer: .adamW(weightDecay: 1e-2)),
      Phase(
        name: "unfreeze", train: .head + .stages(last: 2), budget: TimeBudget(seconds: 600),
        learningRate: .oneCycle(peak: 5e-4), multipliers: RateMultipliers(stageDecay: 0.4)),
    ], restore: .bestOfPhase, regularization: .init(towardsPretrained: 1e-3), average: .exponential(0.999))

  @Test func aScheduleWrittenByHandIsRead() throws {
    let text = Self.handwritten.replacing("    budget: 10 min", with: "    epochs: 7")
    var meant = Self.meant
    meant.phases[1].budget = nil
    meant.phases[1].epochs = 7
    #expect(try Schedule(yaml: text, name: "mine.yaml") == meant)
    // Neither epochs nor anything else: ten epochs.
    meant.phases[1].epochs = 10
    let short = Self.handwritten.replacing("    budget: 10 min\n", with: "")
    #expect(try Schedule(yaml: short, name: "mine.yaml") == meant)
  }

  @Test func aRateThatIsSpreadNeedsToKnowOverWhat() {
    let error = #expect(throws: TrainingError.self) { try Schedule(yaml: Self.handwritten, name: "mine.yaml") }
    #expect(
      error?.description
        == "mine.yaml: phase unfreeze: has a learningRate that is spread over the phase, and neither epochs nor steps")
  }

  @Test(arguments: SchedulePreset.all.map(\.name), [false, true])
  func everyPresetComesBackFromItsYAML(name: String, comments: Bool) throws {
    let schedule = try Schedule.preset(named: name, for: TinyNetwork.backbone(), headLayers: ["pool", "classifier"])
    let text = try schedule.yaml(comments: comments)
    #expect(try Schedule(yaml: text, name: "it") == schedule, "\(text)")
    #expect(
      text.split(separator: "\n").filter { $0.hasPrefix("# Trains ") }.count == (comments ? schedule.phases.count : 0))
    var configuration = RunConfiguration(
      data: .init(path: "pictures"), backbone: .init(source: "file", imageSize: 32), schedule: schedule)
    configuration.schedule.budget = TimeBudget(seconds: 90)
    let whole = try configuration.yaml()
    #expect(try RunConfiguration(yaml: whole, name: "run.yaml") == configuration, "\(whole)")
  }

  @Test func whatIsWrittenReadsAsOneWouldWriteIt() throws {
    var schedule = Self.meant
    schedule.phases[1].epochs = 5
    schedule.phases[1].train = try ParameterSelection("head + stages:a..b & layer:/x y/ - kind:conv2d")
    let text = try schedule.yaml(comments: true)
    #expect(try Schedule(yaml: text, name: "it") == schedule, "\(text)")
    for line in [
      "# Trains head, at most 30 epochs, until validation.loss has not improved by more than 0.0001 for 4 epochs; a "
        + "constant",
      "# rate of 0.002.",
      "- name: probe", "  train: head", "  until: {metric: validation.loss, patience: 4, minimumDelta: 0.0001}",
      "  learningRate: {oneCycle: {peak: 0.0005}}", "  multipliers: {head: 1, stageDecay: 0.4}", "  budget: 10 min",
      "  train: head + stages:a..b & layer:/x y/ - kind:conv2d", "restore: bestOfPhase",
      "regularization: {towardsPretrained: 0.001}", "average: {exponential: 0.999}",
    ] {
      #expect(text.split(separator: "\n").contains { $0 == line }, "\(line) in\n\(text)")
    }
    let plain = try Schedule.probeThenTune.yaml()
    #expect(plain.contains("  train: head + stages:last 2\n"), "\(plain)")
  }

  @Test(arguments: [
    (
      "patience: 4", "patince: 4",
      "phase probe: until: there is no option patince; the nearest are patience, metric, target"
    ),
    ("train: head\n", "train: haed\n", "phase probe: selection \"haed\": expected all, none, head"),
    ("epochs: 30", "epochs: many", "phase probe: epochs must be of type Int"),
    (
      "restore: bestOfPhase", "restored: last",
      "schedule: there is no option restored; the nearest are restore, refit"
    ),
    (
      "restore: bestOfPhase", "restore: newest",
      "schedule: restore must be one of bestSoFar, bestOfPhase, last, but is newest"
    ),
    (
      "    train: head\n", "    train: head\n    restore: first\n",
      "phase probe: restore must be one of bestSoFar, bestOfPhase, last, but is first"
    ),
    ("phases:", "phase:", "schedule: there is no option phase; the nearest are phases, average, budget"),
    ("  - name: probe\n    train", "  - train", "phase number 1: has no name"),
    ("{exponential: 0.999}", "0.999", "average: expected options by name: exponential"),
    (
      "    budget: 10 min", "    budget: 10",
      "phase unfreeze: budget 10: expected a time such as 10 min, 90 s or 1 h 30 min"
    ),
    (
      "batchNormalization: frozenStatistics ", "batchNormalization: {a: b} ",
      "phase unfreeze: batchNormalization must be of type"
    ),
  ])
  func aMistakeIsNamedWithItsFile(old: String, new: String, sentence: String) throws {
    #expect(Self.handwritten.contains(old))
    let text = Self.handwritten.replacing(old, with: new)
    let error = #expect(throws: TrainingError.self) { try Schedule(yaml: text, name: "mine.yaml") }
    #expect(error?.description.hasPrefix("mine.yaml: \(sentence)") == true, "\(error?.description ?? "")")
  }

  @Test(arguments: ["", "3", "- a", "a: [", "phases: 3", "phases:", "{phases: []}", "&a [*a]", "%", "\u{0}"])
  func whatIsNoScheduleIsRefused(text: String) {
    #expect(throws: TrainingError.self) { try Schedule(yaml: text, name: "mine.yaml") }
  }

  @Test func aFileIsNamedThatCannotBeRead() throws {
    let folder = try TemporaryFolder()
    let missing = #expect(throws: TrainingError.self) { try Schedule(contentsOf: "\(folder.path)/none.yaml") }
    #expect(missing?.description.hasSuffix("none.yaml: cannot be read: No such file or directory") == true)
    let long = "\(folder.path)/long.yaml"
    try Data(repeating: UInt8(ascii: "#"), count: (1 << 20) + 1).write(to: URL(fileURLWithPath: long))
    let refused = #expect(throws: TrainingError.self) { try Schedule(contentsOf: long) }
    #expect(refused?.description.hasSuffix("has more than the 1048576 bytes that are read") == true)
  }
}
