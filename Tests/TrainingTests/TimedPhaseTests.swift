import Engine
import Foundation
import Freezing
import Testing
import TinyRuns
import Training

/// Phases that the clock ends, and runs after their record.
@EngineActor
@Suite struct TimedPhaseTests {
  /// Two phases, of which the first has no time for more than one step of its first epoch.
  private static let schedule = {
    var first = Phase(name: "first", train: .all, epochs: 4, learningRate: .constant(1e-2))
    first.budget = TimeBudget(seconds: 1e-3)
    return Schedule(phases: [first, Phase(name: "second", train: .head, epochs: 1, learningRate: .constant(1e-2))])
  }()

  private func trainer(record: RunRecord? = nil) throws -> Trainer {
    let tiny = TinyRun()
    let model = try TinyNetwork.model(tasks: tiny.tasks)
    return try Trainer(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data,
      schedule: Self.schedule, options: tiny.options, record: record
    ) { event in
      // Whatever the machine, the time is over at the first look at the clock.
      if case .phaseBegan = event, record == nil { Thread.sleep(forTimeInterval: 2e-3) }
    }
  }

  @Test func aPhaseThatIsCutInsideAnEpochIsCutAtTheSameStepAgain() throws {
    let first = try trainer()
    let reports = try first.run()
    #expect(reports.map(\.endedBy) == ["budget", "epochs"])
    let record = first.state.progress.record
    #expect(record.phases[0].timed?.steps == 1 && record.phases[0].timed?.isCut == true)
    let again = try trainer(record: record)
    _ = try again.run()
    #expect(again.state.progress.stepCount == first.state.progress.stepCount)
    #expect(again.state.progress.record == record)
    #expect(again.parameters.snapshot() == first.parameters.snapshot())
  }
}
