import Engine
import Freezing
import Graphs
import Tensors
import Testing
import TinyRuns
import Training

/// What every schedule promises, tried on schedules that seeds draw; `KilledRunTests` resumes the same ones.
@EngineActor
@Suite struct PromiseTests {
  /// A drawn run, made once.
  private func train(
    _ drawn: DrawnRun, reached: @escaping (RunMoment, Trainer) throws -> Void = { _, _ in },
    events: @escaping (TrainingEvent) throws -> Void = { _ in }
  ) throws -> Trainer {
    let model = try drawn.model()
    let trainer = try Trainer(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: drawn.tiny.data,
      schedule: drawn.schedule, options: drawn.tiny.options, events: events)
    _ = try trainer.run { [unowned trainer] moment in try reached(moment, trainer) }
    return trainer
  }

  /// What may change in a phase, with the stages that were chosen for it and without those that were frozen in it.
  private func changing(
    _ phase: Phase, _ drawn: DrawnRun, chosen: [String]?, without frozen: [String] = []
  ) throws -> Set<ParameterPath> {
    let model = try drawn.model()
    let graph = try model.logitsGraph()
    let heads = Set(model.heads.flatMap(\.layers))
    let stages = graph.trainableStages(headLayers: heads).filter { frozen.contains($0.name) }.flatMap(\.layers)
    var paths = try (chosen.map(phase.choosing) ?? phase).trainable(in: graph, headLayers: heads)
    paths = paths.filter { !stages.contains($0.layer) }
    guard phase.batchNormalization == .trainingStatistics else { return paths }
    for layer in Set(paths.map(\.layer)) where graph[layer: layer] is BatchNormalization {
      paths.formUnion(["moving_mean", "moving_variance"].map { ParameterPath(layer, $0) })
    }
    return paths
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func whatIsFrozenStaysBitForBitAndItsOptimizerStateToo(seed: UInt64) throws {
    var drawn = DrawnRun(seed: seed)
    // Otherwise the end of a phase brings back what was best, in phases before it too.
    drawn.schedule.restore = .last
    for index in drawn.schedule.phases.indices { drawn.schedule.phases[index].restore = nil }
    // So does the beginning of what fits again.
    drawn.schedule.refit = false
    var weights = try drawn.model().weights
    var moments: [ParameterPath: Checkpoint.Moments] = [:]
    var frozen: [String] = []
    var movedCount = 0
    let trainer = try train(drawn) { moment, trainer in
      guard moment == .epoch || moment == .phase else { return }
      let progress = trainer.state.progress
      let index = progress.reports.count - (moment == .phase ? 1 : 0)
      let changing = try changing(
        drawn.schedule.phases[index], drawn, chosen: progress.record.phases[index].chosen, without: frozen)
      for (path, tensor) in trainer.parameters.snapshot().tensors where !changing.contains(path) {
        #expect(tensor == weights[path], "\(path) in \(drawn.schedule.phases[index].name)")
      }
      for (path, kept) in moments where !changing.contains(path) {
        #expect(trainer.state.optimizer.moments[path] == kept, "\(path) in \(drawn.schedule.phases[index].name)")
      }
      movedCount += changing.count { trainer.parameters.snapshot()[$0] != weights[$0] }
      frozen = progress.phase.freezings.flatMap { $0 }
      weights = trainer.parameters.snapshot()
      moments = trainer.state.optimizer.moments
    }
    #expect(movedCount > 0)
    #expect(trainer.state.progress.reports.count == drawn.schedule.phases.count)
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func theSameRunMakesTheSameBits(seed: UInt64) throws {
    let drawn = DrawnRun(seed: seed)
    let (first, second) = (try train(drawn), try train(drawn))
    #expect(first.parameters.snapshot() == second.parameters.snapshot())
    #expect(first.state.optimizer.moments == second.state.optimizer.moments)
    var progress = [first.state.progress, second.state.progress]
    for index in progress.indices { progress[index].forgetTimes() }
    #expect(progress[0] == progress[1])
  }

  @Test func schedulesThatAreDrawnSayEverything() throws {
    let schedules = (1...40).map { DrawnRun(seed: $0).schedule }
    let phases = schedules.flatMap(\.phases)
    #expect(Set(schedules.map(\.restore)) == Set(Schedule.Restore.allCases))
    #expect(schedules.contains { $0.average != nil } && schedules.contains { $0.regularization != nil })
    #expect(Set(phases.map(\.optimizer.name)).count == 6)
    #expect(Set(phases.map(\.batchNormalization)) == Set(Phase.BatchNormalizationMode.allCases))
    #expect(Set(phases.map(\.restore)) == [nil, .last, .bestOfPhase])
    #expect(phases.contains { $0.choose != nil } && phases.contains { $0.freezeSettled != nil })
    #expect(phases.contains { $0.multipliers != nil } && phases.contains { $0.optimizerState == .reset })
    var notes: [String] = []
    for seed in 1...40 {
      _ = try train(DrawnRun(seed: UInt64(seed)), events: { if case .note(let text) = $0 { notes.append(text) } })
    }
    #expect(notes.contains { $0.contains("settled, and frozen from here on") })
    #expect(notes.contains { $0.contains("chosen by their gradients") })
  }
}
