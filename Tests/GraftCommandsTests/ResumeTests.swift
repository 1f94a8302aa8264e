import Foundation
import Graft
import Testing

@Suite("Runs that are stopped, and go on")
struct ResumeTests {
  private let place: Workplace

  init() throws {
    place = try Workplace()
    try place.writeBackbone()
    try place.writePictures()
  }

  /// Trains long enough to be stopped, from the beginning.
  private func arguments(_ output: String, epochs: Int = 600) -> [String] {
    [
      "train", "--data", "pictures", "--backbone", "small.h5", "--epochs", "\(epochs)", "--patience", "\(epochs)",
      "--checkpoint-every", "20 steps", "--output", output,
    ]
  }

  private func text(_ run: String, _ file: String) throws -> String {
    try String(contentsOfFile: "\(place.path)/\(run)/\(file)", encoding: .utf8)
  }

  /// The lines of a run's log without what a clock has measured.
  private func events(_ run: String) throws -> [NSDictionary] {
    try text(run, "events.jsonl").split(separator: "\n").map { line in
      let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      return object.filter { !["seconds", "secondsLeft", "imagesPerSecond"].contains($0.key) } as NSDictionary
    }
  }

  private func expectSame(_ run: String, _ whole: String) throws {
    let models = try [run, whole].map { try Data(contentsOf: URL(fileURLWithPath: "\(place.path)/\($0)/model.keras")) }
    #expect(models[0] == models[1])
    #expect(try events(run) == events(whole))
    #expect(try text(run, "run.yaml") == text(whole, "run.yaml"))
    let results = try [run, whole].map { run in
      try JSONDecoder().decode(RunResult.self, from: Data(try text(run, "result.json").utf8))
    }
    #expect(results[0].validation == results[1].validation && results[0].test == results[1].test)
    #expect(results[0].phases.map(\.epochs) == results[1].phases.map(\.epochs))
  }

  /// Waits until a run has logged so many lines.
  private func wait(for count: Int, of run: String, _ program: Program.Running) throws {
    while program.isRunning, (try? text(run, "events.jsonl").count { $0 == "\n" }) ?? 0 < count { usleep(1000) }
    try #require(program.isRunning)
  }

  @Test("A run that is killed at any time goes on to the same model", arguments: 1...3 as ClosedRange<UInt64>)
  func killed(seed: UInt64) throws {
    var begin = ContinuousClock.now
    try #require(try Program.run(arguments("whole"), in: place.path).status == 0)
    let seconds = (ContinuousClock.now - begin) / .seconds(1)
    var draw = seed
    var killCount = 0
    for _ in 0..<8 {
      // When exactly the process is met depends on the machine; what becomes of the run must not.
      draw = draw &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let delay = Double(draw >> 40) / Double(1 << 24) * seconds / 2
      let isBegun = FileManager.default.fileExists(atPath: "\(place.path)/killed/run.yaml")
      let program = try Program.start(isBegun ? ["train", "--resume", "killed"] : arguments("killed"), in: place.path)
      begin = .now
      while program.isRunning, ContinuousClock.now - begin < .seconds(delay) { usleep(500) }
      program.send(SIGKILL)
      if try program.outcome().status == SIGKILL { killCount += 1 }
    }
    #expect(killCount > 0)
    // Every kill may have come before the folder was there.
    let isBegun = FileManager.default.fileExists(atPath: "\(place.path)/killed/run.yaml")
    let outcome = try Program.run(isBegun ? ["train", "--resume", "killed"] : arguments("killed"), in: place.path)
    #expect(outcome.status == 0, "\(outcome)")
    try expectSame("killed", "whole")
  }

  @Test("Ctrl-C and a polite kill finish the step, keep the run and say how it goes on", arguments: [SIGINT, SIGTERM])
  func interrupted(signal: Int32) throws {
    try #require(try Program.run(arguments("whole"), in: place.path).status == 0)
    let program = try Program.start(arguments("my run"), in: place.path)
    try wait(for: 30, of: "my run", program)
    program.send(signal)
    let outcome = try program.outcome()
    #expect(outcome.status == 128 + signal && outcome.output.isEmpty, "\(outcome)")
    #expect(
      outcome.error.hasSuffix(
        "graft: stopped and kept; this goes on with it: graft train --resume 'my run'\n"), "\(outcome)")
    let again = try place.graft("train", "--resume", "my run", "--json")
    #expect(again.status == 0, "\(again)")
    #expect(again.error.contains("goes on in its epoch"), "\(again)")
    #expect(try again.json() is [String: Any])
    try expectSame("my run", "whole")
  }

  @Test("A run that is finished is left alone")
  func finished() throws {
    try #require(try place.train("pictures").status == 0)
    func times() throws -> [String: Date] {
      let files = try FileManager.default.contentsOfDirectory(atPath: "\(place.path)/run")
      return try Dictionary(
        uniqueKeysWithValues: files.map { file in
          let attributes = try FileManager.default.attributesOfItem(atPath: "\(place.path)/run/\(file)")
          return (file, try #require(attributes[.modificationDate] as? Date))
        })
    }
    let before = try times()
    let outcome = try place.graft("train", "--resume", "run")
    #expect(outcome.status == 0 && outcome.output.contains("test accuracy"), "\(outcome)")
    #expect(outcome.error == "run: the run is finished, and nothing is left to do\n", "\(outcome)")
    #expect(try times() == before)
    // What was lost after the end is made again from the last checkpoint.
    let model = try Data(contentsOf: URL(fileURLWithPath: "\(place.path)/run/model.keras"))
    try place.write(model.prefix(1000), to: "run/model.keras")
    let again = try place.graft("train", "--resume", "run")
    #expect(again.status == 0 && again.error.contains("so the model is written again"), "\(again)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: "\(place.path)/run/model.keras")) == model)
  }

  @Test("A run goes on from every folder")
  func elsewhere() throws {
    try #require(try place.train("pictures").status == 0)
    let record = try RunConfiguration(contentsOf: "\(place.path)/run/run.yaml")
    #expect(record.data.path.hasPrefix("/") && record.data.path.hasSuffix("/pictures"))
    #expect(record.backbone.source.hasPrefix("/") && record.backbone.source.hasSuffix("/small.h5"))
    let path = "\(place.path)/run/model.keras"
    let model = try Data(contentsOf: URL(fileURLWithPath: path))
    try FileManager.default.removeItem(atPath: path)
    let outcome = try Program.run(["train", "--resume", "../run"], in: "\(place.path)/pictures")
    #expect(outcome.status == 0, "\(outcome)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == model)
  }

  @Test("What is no run, or is another one's, does not go on")
  func refused() throws {
    #expect(try place.graft("train", "--resume", "none").failed(saying: "none: expected the folder of a run"))
    #expect(
      try place.graft("train", "--resume", "pictures").failed(saying: "pictures: holds no run: there is no run.yaml"))
    // More than can be done before it is stopped.
    let program = try Program.start(arguments("run", epochs: 1_000_000), in: place.path)
    try wait(for: 30, of: "run", program)
    #expect(try place.graft("train", "--resume", "run").failed(saying: "run: another process is training here"))
    let forced = try Program.run(arguments("run") + ["--force"], in: place.path)
    #expect(forced.failed(saying: "run: another process is training here"), "\(forced)")
    program.send(SIGINT)
    #expect(try program.outcome().status == 130)
    let backbone = try Data(contentsOf: URL(fileURLWithPath: "\(place.path)/small.h5"))
    try place.write(backbone + Data([0]), to: "small.h5")
    let other = try place.graft("train", "--resume", "run")
    #expect(other.failed(saying: "small.h5: is another file than", "a run goes on only with that"), "\(other)")
    try place.write(backbone, to: "small.h5")
    let yaml = try text("run", "run.yaml")
    try place.write(Data(yaml.replacing("seed: 1", with: "seed: 2").utf8), to: "run/run.yaml")
    let changed = try place.graft("train", "--resume", "run")
    #expect(changed.failed(saying: "run/run.yaml: has been changed since the run began"), "\(changed)")
    try place.write(Data(yaml.utf8), to: "run/run.yaml")
    try place.writeClass("red", colour: 0, count: 9)
    let more = try place.graft("train", "--resume", "run")
    #expect(more.failed(saying: "pictures: holds other pictures or labels", "a run goes on only with those"), "\(more)")
  }

  @Test("Options that contradict --resume are wrong usage")
  func wrongUsage() throws {
    for (arguments, sentence) in [
      (["--resume", "run", "--data", "pictures"], "--resume names the pictures already: leave out --data"),
      (["--resume", "run", "--output", "run"], "--resume names the folder already: leave out --output"),
      (["--resume", "run", "--epochs", "3"], "--resume holds every option of the run: leave out --epochs"),
      (["--resume", "run", "--force"], "--resume replaces nothing: leave out --force"),
      (["--resume", ""], "--resume must not be empty"),
      (["--data", "pictures"], "name the folder of the run with --output"),
      (["--data", "pictures", "--output", "run", "--checkpoint-every", "often"], "expected a time such as 30s"),
      (["--config", "run.yaml", "--output", "run", "--checkpoint-every", "1h"], "leave out --checkpoint-every"),
      (["--output", "run"], "name the pictures with --data"),
    ] {
      let outcome = try Program.run(["train"] + arguments, in: place.path)
      #expect(outcome.status == 2 && outcome.error.contains(sentence), "\(outcome)")
    }
  }
}
