import Foundation
import Graft
import Testing

@Suite("Schedules on the command line")
struct ScheduleCommandTests {
  private let place: Workplace

  init() throws {
    place = try Workplace()
    try place.writeBackbone()
  }

  @Test("schedule lists what there is")
  func list() throws {
    let outcome = try place.graft("schedule")
    #expect(outcome.status == 0, "\(outcome)")
    for name in Schedule.presetNames { #expect(outcome.output.contains("\n\(name) "), "\(name)") }
    let entries = try #require(try place.graft("schedule", "--json").json() as? [[String: String]])
    #expect(entries.compactMap { $0["name"] } == Schedule.presetNames)
    #expect(entries.allSatisfy { $0["source"]?.isEmpty == false && $0["summary"]?.isEmpty == false })
  }

  @Test("What schedule prints is a schedule", arguments: SchedulePreset.all.map(\.name) + ["last:1"])
  func print(name: String) throws {
    let outcome = try place.graft("schedule", name, "--backbone", "small.h5")
    #expect(outcome.status == 0, "\(outcome)")
    let backbone = try Backbone.load("\(place.path)/small.h5")
    var expected = try Schedule.preset(named: name, for: backbone.graph)
    expected.refit = true
    #expect(try Schedule(yaml: outcome.output, name: "it") == expected, "\(outcome)")
    #expect(outcome.output.hasPrefix("# "))
    #expect(outcome.output.split(separator: "\n").filter { $0.hasPrefix("# Trains ") }.count == expected.phases.count)
  }

  @Test(
    "A schedule that could not run is not printed",
    arguments: [
      ("last:9", "small.h5", "phase tune: selection stages:last 9: the network has 3 stages: stem, stage1, stage2"),
      (
        "norm-only", "vgg16",
        "phase norm: selection normalization: the network has no parameters there that could train"
      ),
    ])
  func unfit(name: String, backbone: String, sentence: String) throws {
    let environment = ["GRAFT_PRETRAINED": "\(place.path)/none", "KERAS_HOME": "\(place.path)/none"]
    let outcome = try Program.run(
      ["schedule", name, "--backbone", backbone], in: place.path, environment: environment)
    #expect(outcome.failed(saying: sentence), "\(outcome)")
    guard backbone == "small.h5" else { return }
    try place.writePictures(count: 4)
    let trained = try place.train("pictures", "--schedule", name)
    #expect(trained.failed(saying: sentence), "\(trained)")
  }

  @Test("A family without a file has stages too")
  func family() throws {
    let environment = ["GRAFT_PRETRAINED": "\(place.path)/none", "KERAS_HOME": "\(place.path)/none"]
    let outcome = try Program.run(
      ["schedule", "gradual", "--backbone", "resnet50", "--json"], in: place.path, environment: environment)
    let found = try #require(try outcome.json() as? [String: Any], "\(outcome)")
    let names = (found["phases"] as? [[String: Any]])?.compactMap { $0["name"] as? String } ?? []
    #expect(names.first == "probe" && names.last == "stem" && names.count == 6, "\(names)")
  }

  @Test("train runs a schedule that was printed and changed")
  func train() throws {
    try place.writePictures()
    let printed = try place.graft("schedule", "gradual", "--backbone", "small.h5").output
    #expect(printed.contains("\nrefit: true"), "\(printed)")
    let changed = printed.replacing("epochs: 30", with: "epochs: 2").replacing("epochs: 10", with: "epochs: 1")
      .replacing("refit: true", with: "refit: false")
      .replacing("{adamW: {beta1: 0.9, beta2: 0.999, epsilon: 1e-07, weightDecay: 0.01}}", with: "lion")
    #expect(changed.contains("optimizer: lion"), "\(changed)")
    try place.write(Data(changed.utf8), to: "mine.yaml")
    let outcome = try place.graft(
      "train", "--data", "pictures", "--backbone", "small.h5", "--output", "run", "--schedule", "mine.yaml", "--json")
    let result = try #require(try outcome.json() as? [String: Any], "\(outcome)")
    let phases = try #require(result["phases"] as? [[String: Any]])
    #expect(phases.compactMap { $0["name"] as? String } == ["probe", "stage2", "stage1"])
    let counts = phases.compactMap { $0["trainableParameters"] as? Int }
    #expect(counts == counts.sorted() && Set(counts).count == 3)
    #expect(phases.compactMap { $0["epochs"] as? Int } == [2, 2, 1])
    let record = try RunConfiguration(contentsOf: "\(place.path)/run/run.yaml")
    #expect(record.schedule == (try Schedule(contentsOf: "\(place.path)/mine.yaml")))
    #expect(record.schedule.phases.map(\.optimizer) == [.sgd(), .lion(), .lion()])
  }

  @Test("train runs a schedule that was printed as it runs the one of that name")
  func printed() throws {
    try place.writePictures(count: 4)
    let text = try place.graft("schedule", "head", "--backbone", "small.h5").output
    try place.write(Data(text.utf8), to: "mine.yaml")
    for (schedule, run) in [("head", "named"), ("mine.yaml", "written")] {
      let outcome = try place.train("pictures", "--schedule", schedule, output: run)
      #expect(outcome.status == 0, "\(outcome)")
    }
    let schedules = try ["named", "written"].map {
      try RunConfiguration(contentsOf: "\(place.path)/\($0)/run.yaml").schedule
    }
    #expect(schedules[0] == schedules[1] && schedules[0].refit)
  }

  @Test(
    "train runs every ready-made schedule", arguments: ["chain-thaw", "last:1", "layer-decay", "norm-only", "fastai"])
  func presets(name: String) throws {
    try place.writePictures(count: 4)
    let outcome = try place.graft(
      "train", "--data", "pictures", "--backbone", "small.h5", "--output", "run", "--schedule", name, "--epochs", "1")
    #expect(outcome.status == 0, "\(outcome)")
  }

  @Test("A schedule that does not fit is told from a file that is none")
  func mistakes() throws {
    try place.writePictures(count: 4)
    func train(_ text: String) throws -> Program.Outcome {
      try place.write(Data(text.utf8), to: "mine.yaml")
      return try place.graft(
        "train", "--data", "pictures", "--backbone", "small.h5", "--output", "run", "--schedule", "mine.yaml")
    }
    let misspelt = try train("phases: [{name: a, train: stage:stage3, learningRate: 1}]")
    #expect(
      misspelt.failed(
        saying: "phase a: selection stage:stage3: there is no stage stage3; the nearest are stage1, stage2"),
      "\(misspelt)")
    let unknown = try train("phases: [{name: a, trains: all, learningRate: 1}]")
    #expect(
      unknown.failed(saying: "mine.yaml: phase a: there is no option trains; the nearest are train"), "\(unknown)")
    let missing = try place.graft(
      "train", "--data", "pictures", "--backbone", "small.h5", "--output", "run", "--schedule", "no/file")
    #expect(missing.failed(saying: "no/file: cannot be read: No such file or directory"), "\(missing)")
    #expect(!FileManager.default.fileExists(atPath: "\(place.path)/run"))
  }
}
