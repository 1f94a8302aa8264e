import Freezing
import Graphs
import Testing

@Suite struct ChoiceTests {
  private func norms(_ gradients: [Double], weights: [Double]? = nil) -> [StageNorms] {
    gradients.indices.map {
      StageNorms(stage: "stage\($0)", gradient: gradients[$0], weights: weights?[$0] ?? 1)
    }
  }

  @Test func theStagesWithTheLargestRelativeGradientsAreChosen() {
    let choice = StageChoice(count: 2)
    #expect(choice.stages(by: [norms([1, 5, 3, 2])]) == ["stage1", "stage2"])
    #expect(choice.stages(by: [norms([1, 5, 3, 2], weights: [0.1, 10, 1, 1])]) == ["stage0", "stage2"])
    // 4 + 0, 1 + 2, 0 + 9, 1 + 1
    #expect(choice.stages(by: [norms([4, 1, 0, 1]), norms([0, 2, 9, 1])]) == ["stage0", "stage2"])
  }

  @Test func ofEqualsTheOneNearerToTheOutputIsChosen() {
    #expect(StageChoice(count: 1).stages(by: [norms([2, 2, 1])]) == ["stage1"])
    #expect(StageChoice(count: 9).stages(by: [norms([2, 2, 1])]) == ["stage0", "stage1", "stage2"])
    #expect(StageChoice().stages(by: []) == [])
  }

  @Test func whatIsNoNumberIsChosenLast() {
    #expect(StageChoice(count: 1).stages(by: [norms([.nan, 0.1, .infinity])]) == ["stage1"])
    #expect(StageChoice(count: 1).stages(by: [norms([3, 1], weights: [0, 1])]) == ["stage1"])
  }

  private func frozen(
    _ freezing: SettledFreezing, _ epochs: [[Double]], keepsLast: Bool = false
  ) -> [[String]] {
    var state = SettledFreezing.State()
    return epochs.map { gradients in
      let norms = gradients.enumerated().map { (stage: "stage\($0)", gradient: $1) }
      let training = norms.filter { !state.frozen.contains($0.stage) }
      return freezing.note(training, keepsLast: keepsLast, in: &state)
    }
  }

  @Test func aStageIsFrozenWhenItsGradientsHaveSettled() {
    let freezing = SettledFreezing(window: 2, threshold: 0.1)
    // The first settles after two calm epochs, the second with it, the third never.
    let epochs: [[Double]] = [[10, 5, 1], [5, 5, 2], [5, 5, 3], [5.1, 5.2, 5], [5, 5, 7]]
    #expect(frozen(freezing, epochs) == [[], [], [], ["stage0", "stage1"], []])
  }

  @Test func aStageIsFrozenOnlyWhenAllBeforeItAre() {
    let freezing = SettledFreezing(window: 1, threshold: 0.1)
    #expect(frozen(freezing, [[1, 1], [2, 1], [4, 1], [4, 1]]) == [[], [], [], ["stage0", "stage1"]])
    #expect(frozen(freezing, [[1, 1], [1, 1], [1, 1]], keepsLast: true) == [[], ["stage0"], []])
  }

  @Test func theNormMayReturnOnlyByStayingCalmAgain() {
    let freezing = SettledFreezing(window: 2, threshold: 0.1)
    #expect(frozen(freezing, [[1], [1], [2], [2], [2]]) == [[], [], [], [], ["stage0"]])
    #expect(frozen(freezing, [[0], [0], [0]]) == [[], [], ["stage0"]])
    #expect(frozen(freezing, [[.nan], [.nan], [.nan], [.nan]]) == [[], [], [], []])
  }

  @Test func aChosenStageTrainsBesideTheSelection() throws {
    var phase = Phase(name: "p", train: .head, choose: StageChoice(), epochs: 1, learningRate: .constant(1))
    #expect(phase.selection == .head)
    phase = phase.choosing(["stage1", "stage3"])
    #expect(phase.selection == .head + .stage("stage1") + .stage("stage3"))
    phase.train = .none
    #expect(phase.selection == .stage("stage1") + .stage("stage3"))
    try phase.validate()
  }

  @Test func moreStagesThanThereAreCannotBeChosen() throws {
    var graph = Graph(name: "network")
    var node = try graph.addInput(Input(shape: [32, 32, 3]), named: "image")
    for name in ["first", "second"] {
      node = try graph.apply(Conv2D(filters: 4, kernelSize: Size2D(3)), named: "\(name)_conv", to: [node])
    }
    graph.outputs = [try graph.apply(Dense(units: 2), named: "dense", to: [node])]
    try graph.setStages([("first", "first_conv"), ("second", "second_conv")])
    var phase = Phase(
      name: "tune", train: .head, choose: StageChoice(count: 2), epochs: 1, learningRate: .constant(1))
    let all = try phase.trainableOrCandidates(in: graph, headLayers: ["dense"])
    #expect(all.count == 6)
    phase.choose?.count = 3
    let error = #expect(throws: ScheduleError.self) {
      try phase.trainableOrCandidates(in: graph, headLayers: ["dense"])
    }
    #expect(
      error?.description
        == "phase tune: chooses 3 stages, but the network has 2 with something to train: first, second")
    // What an earlier run has chosen stays chosen.
    #expect(try phase.choosing(["second"]).trainable(in: graph, headLayers: ["dense"]).count == 4)
  }

  @Test func aSelectionThatDoesNotFitNamesItsPhase() throws {
    var graph = Graph(name: "network")
    let image = try graph.addInput(Input(shape: [32, 32, 3]), named: "image")
    let conv = try graph.apply(Conv2D(filters: 4, kernelSize: Size2D(3)), named: "conv", to: [image])
    graph.outputs = [conv]
    try graph.setStages([("stem", "conv")])
    let phase = Phase(name: "tune", train: .stage("nosuch"), epochs: 1, learningRate: .constant(1))
    let error = #expect(throws: ScheduleError.self) { try phase.trainable(in: graph, headLayers: []) }
    #expect(error?.code == .unknownName)
    #expect(
      error?.description == "phase tune: selection stage:nosuch: there is no stage nosuch; the nearest are stem")
  }
}
