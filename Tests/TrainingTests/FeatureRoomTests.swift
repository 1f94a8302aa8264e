import Engine
import Freezing
import Graphs
import Models
import Testing
import TinyRuns
import Training

/// How much memory kept features take.
@EngineActor
@Suite struct FeatureRoomTests {
  private func run(
    _ tiny: TinyRun, _ schedule: Schedule, of model: Model
  ) throws -> (after: Weights, phases: [PhaseReport]) {
    let trainer = try Trainer(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, schedule: schedule,
      options: tiny.options)
    let phases = try trainer.run()
    return (trainer.parameters.snapshot(), phases)
  }

  @Test func allFeaturesThatAreKeptHaveRoomTogether() throws {
    // The features of the first phase wait for the third while the second wants room for its own.
    let tune = Phase(name: "tune", train: .head + .stages(last: 1), epochs: 1, learningRate: .constant(1e-3))
    let probe = Phase(name: "probe", train: .head, epochs: 1, learningRate: .constant(1e-2))
    var again = tune
    again.name = "again"
    let schedule = Schedule(phases: [tune, probe, again], restore: .last)
    var tiny = TinyRun()
    let model = try TinyNetwork.model(tasks: tiny.tasks)
    let forecast = try Rehearsal(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data, schedule: schedule,
      options: tiny.options
    ).run()
    let byteCount = forecast.phases[0].featureBytes + forecast.phases[1].featureBytes
    tiny.options.cacheMemoryBudget = byteCount
    let enough = try run(tiny, schedule, of: model)
    #expect(enough.phases.map(\.cached) == [true, true, true])
    tiny.options.cacheMemoryBudget = byteCount - 1
    let tooLittle = try run(tiny, schedule, of: model)
    #expect(tooLittle.phases.map(\.cached) == [true, false, true])
    #expect(tooLittle.after == enough.after)
  }

  @Test func aContainersMemoryCountsWhereItIsLess() {
    #expect(UsableMemory.smallest(machine: 8 << 30, bounds: []) == 8 << 30)
    #expect(UsableMemory.smallest(machine: 8 << 30, bounds: ["max\n"]) == 8 << 30)
    #expect(UsableMemory.smallest(machine: 8 << 30, bounds: ["2147483648\n"]) == 2 << 30)
    #expect(UsableMemory.smallest(machine: 8 << 30, bounds: ["9223372036854771712\n", "none"]) == 8 << 30)
    #expect(UsableMemory.byteCount > 0)
  }
}
