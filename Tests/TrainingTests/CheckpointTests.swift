import Engine
import Foundation
import Freezing
import Graphs
import HDF5Files
import Synchronization
import Testing
import TinyRuns
import Training

/// What becomes of a run that was stopped and kept, and of checkpoints that are not what they were.
@Suite struct CheckpointTests {
  private let parent: TemporaryFolder
  private let drawn: DrawnRun

  init() throws {
    parent = try TemporaryFolder()
    var drawn = DrawnRun(seed: 1)
    drawn.tiny = TinyRun()
    drawn.tiny.augmentation = .flip
    drawn.tiny.options.checkpointEvery = .steps(1)
    drawn.dropout = 0.2
    drawn.schedule = Schedule(phases: [
      Phase(name: "probe", train: .head, epochs: 2, learningRate: .constant(1e-2)),
      Phase(
        name: "tune", train: .head + .stages(last: 1), epochs: 2, learningRate: .cosine(peak: 1e-3, warmUp: 0.2),
        batchNormalization: .trainingStatistics),
    ])
    self.drawn = drawn
  }

  /// Three steps an epoch with frozen statistics, and two with those of whole batches.
  private static let stepCount = 10

  /// Runs from the beginning, or goes on, to the end or until a step is done; gives what was noted.
  @discardableResult
  private func run(
    _ name: String, _ drawn: DrawnRun? = nil, resuming isResumed: Bool = false, until step: Int? = nil
  ) async throws -> [String] {
    let drawn = drawn ?? self.drawn
    let path = "\(parent.path)/\(name)"
    let folder = isResumed ? try RunFolder(resuming: path) : try RunFolder(at: path)
    let notes = Mutex<[String]>([])
    let run = FineTuningRun(drawn.configuration, model: try drawn.model(), data: try drawn.tiny.data, folder: folder) {
      event in
      switch event {
      case .step(let report) where report.step == step: withUnsafeCurrentTask { $0?.cancel() }
      case .note(let text): notes.withLock { $0.append(text) }
      default: break
      }
    }
    // Of its own, so that to cancel it does not cancel the test.
    let task = Task { try await EngineActor.run { () throws in try run.run(resuming: isResumed) } }
    if step == nil {
      _ = try await task.value
    } else {
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    return notes.withLock { $0 }
  }

  private func path(_ name: String, _ file: RunFolder.File) -> String { "\(parent.path)/\(name)/\(file.rawValue)" }

  private func remains(_ name: String) throws -> RunRemains { try RunRemains(of: "\(parent.path)/\(name)", drawn) }

  private func checkpoint(_ name: String, _ file: RunFolder.File = .checkpoint) throws -> Checkpoint {
    try Checkpoint(readingFrom: path(name, file), graph: drawn.model().logitsGraph())
  }

  // MARK: - Stopping and going on

  @Test func aRunThatStopsAfterEachOfItsStepsEndsWithTheSameBits() async throws {
    try await run("whole")
    let whole = try remains("whole")
    #expect(whole.checkpoint.progress.stepCount == Self.stepCount)
    for step in 1...Self.stepCount {
      try await run("stopped", resuming: step > 1, until: step)
      #expect(try checkpoint("stopped").progress.stepCount == step)
    }
    let notes = try await run("stopped", resuming: true)
    #expect(notes.isEmpty)
    #expect(try remains("stopped") == whole)
  }

  @Test func aCheckpointHoldsWhatHasTrainedAndNothingElse() async throws {
    try await run("run", until: 4)
    let early = try checkpoint("run")
    let head = Set(["kernel", "bias"].map { ParameterPath("head_dense", $0) })
    #expect(Set(early.arrays[.weights]?.tensors.keys.map { $0 } ?? []) == head)
    #expect(Set(early.moments.keys) == head)
    #expect(early.moments.values.allSatisfy { $0.stepCount == 4 })
    try await run("run", resuming: true, until: 7)
    let late = try checkpoint("run")
    let weights = try #require(late.arrays[.weights])
    #expect(weights[ParameterPath("second_bn", "moving_mean")] != nil)
    #expect(weights[ParameterPath("first_conv", "kernel")] == nil)
    #expect(Set(late.arrays[.best]?.tensors.keys.map { $0 } ?? []) == Set(weights.tensors.keys))
    #expect(late.moments[ParameterPath("second_conv", "kernel")]?.stepCount == 1)
    #expect(late.progress.reports.map(\.name) == ["probe"] && late.progress.phase.epochStepCount == 1)
  }

  @Test func checkpointsAreWrittenAsOftenAsIsAsked() async throws {
    for (interval, expected) in [(5, [5, 6, 10]), (1, Array(1...10) + [6, 10]), (1000, [6, 10])] {
      var drawn = drawn
      drawn.tiny.options.checkpointEvery = .steps(interval)
      var folder = try RunFolder(at: "\(parent.path)/\(interval)")
      let written = Mutex(0)
      folder.instant = { if $0 == "checkpoint.h5 in place" { written.withLock { $0 += 1 } } }
      let run = FineTuningRun(drawn.configuration, model: try drawn.model(), data: try drawn.tiny.data, folder: folder)
      _ = try await EngineActor.run { () throws in try run.run() }
      // Every step or some, and the end of each phase.
      #expect(written.withLock { $0 } == expected.count, "\(interval)")
    }
  }

  // MARK: - Damage

  @Test(arguments: 0..<12)
  func aDamagedCheckpointIsRefusedAndTheOneBeforeItUsed(number: Int) async throws {
    try await run("whole")
    try await run("run", until: 5)
    let file = path("run", .checkpoint)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    switch number {
    case 0: bytes = Data()
    case 1: bytes = bytes.prefix(bytes.count / 2)
    case 2: bytes.append(0)
    case 3: bytes = bytes.dropLast()
    case 4: bytes = Data("not a checkpoint at all".utf8)
    default: bytes[bytes.count * (number - 5) / 7 + number] ^= 0x10
    }
    try bytes.write(to: URL(fileURLWithPath: file))
    #expect(try checkpoint("run", .previousCheckpoint).progress.stepCount == 4)
    let notes = try await run("run", resuming: true)
    #expect(notes.count == 2)
    #expect(notes.first?.hasPrefix("\(file): is damaged: it does not end with the SHA-256 of its") == true, "\(notes)")
    #expect(
      notes.last == "\(path("run", .previousCheckpoint)): the run goes on from this one, which was written before")
    #expect(try remains("run") == remains("whole"))
  }

  @Test func withoutAnySoundCheckpointTheRunBeginsAnew() async throws {
    try await run("whole")
    try await run("run", until: 5)
    for file in [RunFolder.File.checkpoint, .previousCheckpoint] {
      try Data("lost".utf8).write(to: URL(fileURLWithPath: path("run", file)))
    }
    let notes = try await run("run", resuming: true, until: 1)
    #expect(notes.last == "\(parent.path)/run: no checkpoint is left, so the run begins anew")
    try await run("run", resuming: true)
    #expect(try remains("run") == remains("whole"))
  }

  @Test func aCheckpointThatIsOnlyThereUnderItsSecondNameIsUsed() async throws {
    try await run("whole")
    try await run("run", until: 5)
    try FileManager.default.removeItem(atPath: path("run", .checkpoint))
    #expect(try await run("run", resuming: true).isEmpty)
    #expect(try remains("run") == remains("whole"))
  }

  @Test(arguments: ["stepCount", "epochCount", "epochStepCount", "passCount", "eventByteCount"])
  func countsThatNoRunCanHaveReachedAreRefused(name: String) async throws {
    try await run("run", until: 5)
    let state = try HDF5File(readingFrom: path("run", .checkpoint)).root.attributes.value("state").string ?? ""
    for value in ["9223372036854775807", "-1"] {
      let changed = state.replacing(try Regex("\"\(name)\":[0-9]+"), with: "\"\(name)\":\(value)")
      #expect(changed != state)
      let error = try #require(try refusal(of: changed))
      #expect(error.code == .unfitCheckpoint, "\(error)")
    }
  }

  @Test func whatIsNoCheckpointOfThisNetworkIsRefused() async throws {
    try await run("run", until: 5)
    let state = try HDF5File(readingFrom: path("run", .checkpoint)).root.attributes.value("state").string ?? ""
    #expect(try refusal(of: state)?.detail == "has no weights/head_dense/bias, which its state names")
    let newer = state.replacing("\"version\":3", with: "\"version\":4")
    #expect(try refusal(of: newer)?.detail.contains("expected version 3 of its form, found 4") == true)
    #expect(try refusal(of: "{")?.code == .unfitCheckpoint)
    let other = state.replacing("head_dense/bias", with: "head_dense/bios")
    #expect(try refusal(of: other)?.detail == "holds head_dense/bios, which the network does not have")
    let path = "\(parent.path)/model.h5"
    try drawn.model().write(to: path, format: .wholeModelH5)
    let error = #expect(throws: TrainingError.self) {
      try Checkpoint(readingFrom: path, graph: drawn.model().logitsGraph())
    }
    #expect(error?.code == .damagedCheckpoint)
  }

  /// Why a sealed checkpoint with a state and no array is refused.
  private func refusal(of state: String) throws -> TrainingError? {
    let path = "\(parent.path)/odd.h5"
    let contents = try HDF5File.bytes(name: path) { root in
      try root.attributes.set(.string(state), named: "state")
    }
    try Data(contents + contents.withUnsafeBytes(CheckpointSeal.bytes)).write(to: URL(fileURLWithPath: path))
    return #expect(throws: TrainingError.self) {
      try Checkpoint(readingFrom: path, graph: drawn.model().logitsGraph())
    }
  }

  // MARK: - What has changed since

  @Test func aRunGoesOnOnlyAsItBegan() async throws {
    try await run("run", until: 5)
    var other = drawn
    other.schedule.phases[1].epochs = 3
    var error = await #expect(throws: TrainingError.self) { try await run("run", other, resuming: true) }
    #expect(error?.code == .runChanged)
    #expect(
      error?.description.hasPrefix("\(path("run", .configuration)): has been changed since the run began") == true)
    other = drawn
    other.tiny.classes[3] = 2
    error = await #expect(throws: TrainingError.self) { try await run("run", other, resuming: true) }
    #expect(error?.description.contains("pictures, their labels or their division are not those") == true)
  }

  @Test func anotherMachineAndAnotherVersionAreSaid() async throws {
    try await run("run")
    let file = path("run", .configuration)
    var configuration = try RunConfiguration(contentsOf: file)
    #expect(configuration.record?.phases.map(\.microBatchSize) == [4, 8])
    #expect(try await run("run", resuming: true).isEmpty)
    configuration.record?.engine.processor = "Z80"
    configuration.record?.version = "0.0.1"
    let folder = try RunFolder(at: "\(parent.path)/other")
    let notes = Mutex<[String]>([])
    let run = FineTuningRun(configuration, model: try drawn.model(), data: try drawn.tiny.data, folder: folder) {
      event in
      if case .note(let text) = event { notes.withLock { $0.append(text) } }
    }
    _ = try await EngineActor.run { () throws in try run.run() }
    let sentences = notes.withLock { $0 }
    #expect(sentences.count == 2)
    #expect(
      sentences.first?.contains("of Z80 (") == true && sentences.first?.contains("not the same to the bit") == true)
    #expect(sentences.last?.contains("began with graft 0.0.1, goes on with") == true)
  }

  @Test func whatWasMeasuredIsReplayed() async throws {
    var drawn = drawn
    drawn.tiny.options.microBatchSize = nil
    try await run("run", drawn)
    let configuration = try RunConfiguration(contentsOf: path("run", .configuration))
    #expect(configuration.record?.phases.map(\.microBatchSize) == [8, 8])
    var small = configuration
    small.record?.phases[0].microBatchSize = 2
    let folder = try RunFolder(at: "\(parent.path)/again")
    let run = FineTuningRun(small, model: try drawn.model(), data: try drawn.tiny.data, folder: folder)
    let result = try await EngineActor.run { () throws in try run.run() }
    #expect(result.phases.map(\.microBatchSize) == [2, 8])
  }
}

@Suite struct CheckpointIntervalTests {
  @Test(arguments: [
    ("30s", CheckpointInterval.seconds(30)), ("0.5 s", .seconds(0.5)), ("5min", .seconds(300)), ("1 h", .seconds(3600)),
    ("200 steps", .steps(200)), ("1step", .steps(1)),
  ])
  func anIntervalIsRead(text: String, expected: CheckpointInterval) throws {
    let interval = try CheckpointInterval(parsing: text)
    #expect(interval == expected)
    #expect(try CheckpointInterval(parsing: interval.description) == interval)
  }

  @Test(arguments: ["", "30", "s", "5 parsecs", "-1s", "0 steps", "1.5 steps", "1e400s", "9999999999999999999 steps"])
  func whatIsNoIntervalIsRefused(text: String) {
    let error = #expect(throws: TrainingError.self) { try CheckpointInterval(parsing: text) }
    #expect(error?.detail.hasSuffix("found \"\(text)\"") == true)
  }
}
