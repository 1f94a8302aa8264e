import Foundation
import Graft
import Testing

@Suite("What the command says before training")
struct PlanningTests {
  private let place: Workplace

  init() throws {
    place = try Workplace()
    try place.writeBackbone()
    try place.writePictures()
  }

  @Test("train --dry-run says what each phase takes, and leaves nothing")
  func dryRun() throws {
    let outcome = try place.train("pictures", "--dry-run", "--json")
    #expect(outcome.status == 0, "\(outcome)")
    let forecast = try #require(try outcome.json() as? [String: Any])
    let phases = try #require(forecast["phases"] as? [[String: Any]])
    #expect(phases.compactMap { $0["name"] as? String } == ["probe", "refit probe"])
    for key in [
      "trainableParameters", "flopsPerStep", "secondsPerEpoch", "arenaBytes", "featureBytes", "cached", "epochs",
      "steps", "seconds", "peakResidentBytes",
    ] {
      #expect(phases[0][key] != nil, "\(key) is missing")
    }
    #expect(forecast["peakResidentBytes"] is Int && forecast["seconds"] is Double)
    #expect(!FileManager.default.fileExists(atPath: "\(place.path)/run"))
    let other = try place.train("pictures", "--schedule", "probe-then-tune", "--no-refit", "--dry-run")
    #expect(other.output.contains("tune") && !other.output.contains("refit"), "\(other)")
    let spoken = try place.train("pictures", "--dry-run")
    #expect(spoken.output.contains("probe") && spoken.output.contains("nothing was trained"), "\(spoken)")
    // However little a small head takes.
    #expect(!spoken.output.contains(" 0.0 s") && !spoken.output.contains(" 0.00 s"), "\(spoken)")
    let little = try place.train("pictures", "--schedule", "head", "--dry-run", "--cache-budget", "0")
    #expect(little.status == 0 && little.output.contains("kept in the run's folder"), "\(little)")
  }

  @Test("a budget is a number with a unit as people write it", arguments: ["500M", "500mb", "500MiB", "524288000"])
  func budgets(size: String) throws {
    let outcome = try place.train("pictures", "--dry-run", "--cache-budget", size)
    #expect(outcome.status == 0, "\(outcome)")
    let wrong = try place.train("pictures", "--dry-run", "--cache-budget", size + "x")
    #expect(wrong.status != 0 && wrong.error.contains("expected a size such as 500M or 4G"), "\(wrong)")
  }

  @Test("find-rate suggests a rate and draws what it has seen")
  func findRate() throws {
    let outcome = try place.graft(
      "find-rate", "--data", "pictures", "--backbone", "small.h5", "--steps", "60", "--highest", "10", "--output",
      "rates.svg", "--json")
    #expect(outcome.status == 0, "\(outcome)")
    let search = try #require(try outcome.json() as? [String: Any])
    #expect(search["suggestion"] is Double)
    #expect((search["steps"] as? [Any])?.isEmpty == false)
    let plot = try String(contentsOfFile: "\(place.path)/rates.svg", encoding: .utf8)
    #expect(plot.hasPrefix("<svg ") && plot.contains("phase probe"))
    let again = try place.graft("find-rate", "--data", "pictures", "--backbone", "small.h5", "--output", "rates.svg")
    #expect(again.failed(saying: "rates.svg", "is there already"), "\(again)")
  }

  @Test("find-rate knows before its steps that its plot can be written")
  func unwritablePlot() throws {
    // Neither pictures nor a backbone are there: the plot comes first.
    func plot(_ path: String) throws -> Program.Outcome {
      try place.graft("find-rate", "--data", "none", "--backbone", "none.h5", "--output", path, "--force")
    }
    let nowhere = try plot("none/rates.svg")
    #expect(nowhere.failed(saying: "none/rates.svg: cannot be written: No such file or directory"), "\(nowhere)")
    let folder = try plot("pictures")
    #expect(folder.failed(saying: "pictures: expected a file to write, found a folder"), "\(folder)")
  }

  @Test("find-rate takes the loss that train would take")
  func lossOfRates() throws {
    func losses(_ more: String...) throws -> [Double] {
      let arguments = ["find-rate", "--data", "pictures", "--backbone", "small.h5", "--steps", "20", "--json"]
      let outcome = try Program.run(arguments + more, in: place.path)
      let search = try #require(try outcome.json() as? [String: Any], "\(outcome)")
      return try #require(search["steps"] as? [[String: Any]]).compactMap { $0["loss"] as? Double }
    }
    let plain = try losses()
    #expect(!plain.isEmpty)
    #expect(try losses("--recipe", "balanced", "--label-smoothing", "0", "--loss", "cross-entropy") == plain)
    // A head that knows nothing yet: focal counts its mistakes less.
    #expect(try losses("--loss", "focal")[0] < plain[0])
    #expect(try losses("--label-smoothing", "0.2") != plain)
  }

  @Test("find-rate refuses ranges and phases that there are not")
  func wrongRates() throws {
    let usage = try place.graft("find-rate", "--data", "pictures", "--lowest", "1", "--highest", "0.1")
    #expect(usage.status == 2 && usage.error.contains("lowest"), "\(usage)")
    let phase = try place.graft(
      "find-rate", "--data", "pictures", "--backbone", "small.h5", "--schedule", "probe-then-tune", "--phase", "nope")
    #expect(phase.failed(saying: "--phase", "probe, tune"), "\(phase)")
  }

  @Test("a second run takes the features of the first, and makes the same model")
  func features() throws {
    let first = try place.train("pictures", "--json", "--feature-folder", "features")
    let second = try place.train("pictures", "--json", "--feature-folder", "features", output: "again")
    #expect(first.status == 0 && second.status == 0, "\(first) \(second)")
    func reused(_ outcome: Program.Outcome) throws -> [Int] {
      let result = try #require(try outcome.json() as? [String: Any])
      return try #require(result["phases"] as? [[String: Any]]).compactMap { $0["reusedFeatures"] as? Int }
    }
    #expect(try reused(first) == [0, 0])
    #expect(try reused(second)[0] > 0)
    let weights = try ["run", "again"].map { try Model.read("\(place.path)/\($0)/model.keras").weights }
    #expect(weights[0] == weights[1])
  }
}
