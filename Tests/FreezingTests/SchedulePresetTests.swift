import Backbones
import Foundation
import Freezing
import Graphs
import Tensors
import Testing

/// What must be true of every preset, on networks of every kind.
@Suite struct SchedulePresetTests {
  static let families = [
    "efficientnet-lite0", "mobilenetv2", "resnet50", "resnet50v2", "vgg16", "densenet121", "convnext-tiny",
    "inceptionv3",
    "squeezenet1.1", "nasnet-mobile",
  ]
  static let presets = SchedulePreset.all.map(\.name) + ["last:1", "last:4"]

  /// A backbone with a head on it.
  private func network(_ name: String) throws -> (graph: Graph, head: Set<String>) {
    let family = try #require(BackboneFamily.named(name))
    var graph = try family.graph().trunk(stageEnds: family.stageEnds, cutAt: nil)
    let pool = try graph.apply(GlobalAveragePooling2D(), named: "head_pool", to: graph.outputs)
    graph.outputs = [try graph.apply(Dense(units: 3), named: "head_dense", to: [pool])]
    return (graph, ["head_pool", "head_dense"])
  }

  private func trainable(_ graph: Graph) -> Set<ParameterPath> {
    Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path))
  }

  @Test(arguments: presets, families)
  func everyPhaseTrainsSomethingAndHasANameOfItsOwn(preset: String, family: String) throws {
    let (graph, head) = try network(family)
    let schedule = try Schedule.preset(named: preset, for: graph, headLayers: head)
    try schedule.validate()
    #expect(Set(schedule.phases.map(\.name)).count == schedule.phases.count)
    #expect(schedule.restore == .bestSoFar)
    #expect(schedule.phases.allSatisfy { $0.batchNormalization == .frozenStatistics })
    let hasNone = preset == "norm-only" && ["vgg16", "squeezenet1.1"].contains(family)
    for phase in schedule.phases {
      if hasNone {
        #expect(throws: ScheduleError.self) { try phase.trainable(in: graph, headLayers: head) }
      } else {
        #expect(try !phase.trainable(in: graph, headLayers: head).isEmpty)
      }
    }
    let data = try JSONEncoder().encode(schedule)
    #expect(try JSONDecoder().decode(Schedule.self, from: data) == schedule)
    // A new head comes first, by itself or with all else that trains.
    #expect(
      try hasNone || schedule.phases[0].trainable(in: graph, headLayers: head).contains { head.contains($0.layer) })
  }

  @Test(arguments: families)
  func gradualOnlyEverThaws(family: String) throws {
    let (graph, head) = try network(family)
    let phases = try Schedule.preset(named: "gradual", for: graph, headLayers: head).phases
    let sets = try phases.map { try $0.trainable(in: graph, headLayers: head) }
    #expect(sets.count == graph.trainableStages(headLayers: head).count + 1)
    for (before, after) in zip(sets, sets.dropFirst()) { #expect(before.isStrictSubset(of: after)) }
    #expect(sets.first == (try ParameterSelection.head.resolve(in: graph, headLayers: head)))
    #expect(sets.last == trainable(graph))
    #expect(phases.dropFirst().allSatisfy { $0.multipliers?.stageDecay == 1 / 2.6 })
  }

  @Test(arguments: families)
  func chainThawTrainsEveryStageByItselfOnce(family: String) throws {
    let (graph, head) = try network(family)
    let phases = try Schedule.preset(named: "chain-thaw", for: graph, headLayers: head).phases
    let sets = try phases.map { try $0.trainable(in: graph, headLayers: head) }
    #expect(sets.last == trainable(graph))
    var seen: Set<ParameterPath> = []
    for set in sets.dropLast() {
      #expect(seen.isDisjoint(with: set))
      seen.formUnion(set)
    }
    #expect(seen == trainable(graph))
  }

  @Test(arguments: families)
  func fastaisLowestStageTrainsAtAHundredth(family: String) throws {
    let (graph, head) = try network(family)
    let phases = try Schedule.preset(named: "fastai", for: graph, headLayers: head).phases
    let factors = try #require(phases[1].multipliers).factors(for: trainable(graph), in: graph, headLayers: head)
    let least = try #require(factors.values.min())
    #expect(least > 0.009 && least < 0.011)
    #expect(factors.values.max() == 1)
  }

  @Test(arguments: families)
  func layerDecaySlowsTheInputMost(family: String) throws {
    let (graph, head) = try network(family)
    let phase = try Schedule.preset(named: "layer-decay", for: graph, headLayers: head).phases[0]
    let factors = try #require(phase.multipliers).factors(for: trainable(graph), in: graph, headLayers: head)
    let order = graph.layerNames.compactMap { layer in factors.first { $0.key.layer == layer }?.value }
    #expect(order.first == order.min())
    #expect(order.last == 1)
    // timm's ResNet-50 has 16 blocks and a stem.
    if family == "resnet50" { #expect(abs(order[0] - pow(0.75, 17)) < 1e-12) }
  }

  @Test func whatTrainsIsWhatTheNameSays() throws {
    let (graph, head) = try network("mobilenetv2")
    func variables(_ name: String) throws -> Set<String> {
      let phase = try #require(Schedule.preset(named: name, for: graph, headLayers: head).phases.last)
      return Set(try phase.trainable(in: graph, headLayers: head).filter { !head.contains($0.layer) }.map(\.variable))
    }
    #expect(try variables("bias-only") == ["beta"])
    #expect(try variables("norm-only") == ["gamma", "beta"])
    #expect(try variables("head") == [])
    let last = try Schedule.preset(named: "last:3", for: graph).phases[0]
    #expect(last.train == .head + .stages(last: 3))
    #expect(try Schedule.preset(named: "surgical", for: graph).phases[1].choose == StageChoice(batches: 4, count: 2))
    #expect(try Schedule.preset(named: "auto-freeze", for: graph).phases[0].freezeSettled == SettledFreezing())
  }

  @Test(arguments: ["probe-then-tune", "surgical"])
  func aTrunkWithoutTwoStagesTrainsWhole(name: String) throws {
    var (graph, head) = try network("squeezenet1.1")
    graph.stages = graph.stages.suffix(1)
    let schedule = try Schedule.preset(named: name, for: graph, headLayers: head)
    #expect(schedule.phases.map(\.train) == [.head, .all])
    #expect(schedule.phases.allSatisfy { $0.choose == nil })
  }

  @Test(arguments: ["", "heads", "last", "last:", "last:0", "last:two", "Head"])
  func anUnknownNameIsAnErrorThatNamesTheOthers(name: String) {
    let error = #expect(throws: ScheduleError.self) { try SchedulePreset.named(name) }
    #expect(error?.description.hasPrefix("schedule \(name): expected probe-then-tune, head, full, gradual") == true)
  }

  @Test func everyPresetSaysWhatItDoesAndWhereItComesFrom() {
    for preset in SchedulePreset.all {
      #expect(preset.summary.hasSuffix(".") && preset.summary.count < 110)
      #expect(preset.source.contains("20"))
    }
    #expect(Schedule.presetNames.first == "probe-then-tune")
    #expect(Set(Schedule.presetNames).count == Schedule.presetNames.count)
  }
}
