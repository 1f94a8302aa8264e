import Engine
import Foundation
import Freezing
import Graphs
import Models
import Tasks
import Testing
import TinyRuns
import Training

@EngineActor
@Suite struct FineTuningRunTests {
  private let schedule = Schedule(phases: [
    Phase(name: "probe", train: .head, epochs: 2, learningRate: .constant(1e-2)),
    Phase(name: "tune", train: .head + .stages(last: 1), epochs: 1, learningRate: .constant(1e-3)),
  ])

  private func run(in folder: RunFolder) throws -> RunResult {
    let tiny = TinyRun()
    let configuration = RunConfiguration(
      data: RunConfiguration.Data(path: "memory"), backbone: RunConfiguration.Backbone(source: "tiny", imageSize: 8),
      tasks: tiny.tasks, schedule: schedule, options: tiny.options)
    return try FineTuningRun(
      configuration, model: TinyNetwork.model(tasks: tiny.tasks), data: tiny.data, folder: folder
    ).run()
  }

  @Test func aRunLeavesEverythingInItsFolder() throws {
    let parent = try TemporaryFolder()
    let folder = try RunFolder(at: parent.path)
    let result = try run(in: folder)
    #expect(try parent.contents() == RunFolder.File.allCases.map(\.rawValue).sorted())
    #expect(result.phases.map(\.name) == ["probe", "tune"])
    #expect(result.phases.map(\.epochs) == [2, 1])
    #expect(result.validation["class"]?.count == 8)
    #expect(result.test["class"]?.count == 8)

    let stored = try JSONDecoder().decode(RunResult.self, from: Data(contentsOf: URL(fileURLWithPath: folder[.result])))
    #expect(stored == result)

    let text = try String(contentsOfFile: folder[.configuration], encoding: .utf8)
    #expect(try RunConfiguration(yaml: text, name: "run.yaml").schedule == schedule)

    let lines = try String(contentsOfFile: folder[.events], encoding: .utf8).split(separator: "\n")
    let kinds = try lines.map { line in
      try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])["event"] as? String
    }
    // Three steps an epoch: 22 samples in batches of 8.
    #expect(kinds.count { $0 == "step" } == 9)
    #expect(kinds.count { $0 == "epoch" } == 3)
    #expect(kinds.first == "phaseBegan" && kinds.last == "phaseEnded")
  }

  @Test func theFinishedModelKeepsWhatItsFilePromises() throws {
    let parent = try TemporaryFolder()
    let folder = try RunFolder(at: parent.path)
    _ = try run(in: folder)
    let model = try Model.read(folder[.model])
    #expect(model.tasks == TinyRun().tasks)
    #expect(model.graph.stages.map(\.name) == ["stem", "first", "second"])
    let parity = try model.parityReport()
    let report = try #require(parity)
    #expect(report.isKept)
    var broken = model
    broken.weights[ParameterPath("head_dense", "bias")]?.withMutableFloats { $0[0] += 1 }
    let brokenParity = try broken.parityReport()
    #expect(brokenParity?.isKept == false)
  }

  @Test func twoRunsWriteTheSameModel() throws {
    let (first, second) = (try TemporaryFolder(), try TemporaryFolder())
    let folders = try [first, second].map { try RunFolder(at: $0.path) }
    for folder in folders { _ = try run(in: folder) }
    for file in [RunFolder.File.model, .configuration] {
      let bytes = try folders.map { try Data(contentsOf: URL(fileURLWithPath: $0[file])) }
      #expect(bytes[0] == bytes[1], "\(file.rawValue)")
    }
    let graph = try TinyNetwork.model(tasks: TinyRun().tasks).logitsGraph()
    let checkpoints = try folders.map { folder in
      var checkpoint = try Checkpoint(readingFrom: folder[.checkpoint], graph: graph)
      checkpoint.progress.forgetTimes()
      checkpoint.origin.eventByteCount = 0
      return checkpoint
    }
    #expect(checkpoints[0] == checkpoints[1])
  }
}
