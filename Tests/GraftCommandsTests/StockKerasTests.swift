import Foundation
import Graft
import Testing

/// An interpreter that has Keras 3, named by `GRAFT_PYTHON`.
private let python = ProcessInfo.processInfo.environment["GRAFT_PYTHON"].flatMap {
  FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil
}

/// The folder with the photos of the Python package foolbox, named by `GRAFT_PHOTOS`.
private let photos = ProcessInfo.processInfo.environment["GRAFT_PHOTOS"].flatMap { folder in
  (try? FileManager.default.contentsOfDirectory(atPath: folder)).map { names in
    names.filter { $0.hasPrefix("imagenet_") }.sorted().map { "\(folder)/\($0)" }
  }
}

@Suite("Beside stock Keras")
struct StockKerasTests {
  private let root = fixture("..").standardizedFileURL.deletingLastPathComponent().path

  /// Has stock Keras compute what a file's network makes of numbers.
  private func keras(_ model: String, _ input: String, _ output: String, in folder: String) throws -> Program.Outcome {
    let script = """
      import sys, numpy, keras
      model = keras.models.load_model(sys.argv[1])
      numpy.save(sys.argv[3], numpy.asarray(model.predict(numpy.load(sys.argv[2]), verbose=0)))
      """
    return try Program.run(
      executable: try #require(python), ["-c", script, model, input, output], in: folder,
      environment: ["KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"])
  }

  private func expectEqual(_ left: Tensor, _ right: Tensor) {
    #expect(left.shape == right.shape)
    let (a, b) = (left.floats, right.floats)
    let largest = b.map(abs).max() ?? 0
    // Rounding differs between two orders of summation.
    #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-4 * largest })
  }

  @Test("a fine-tuned model and its exports give the same probabilities", .enabled(if: python != nil))
  func fineTuned() throws {
    let place = try Workplace()
    try place.writeBackbone()
    try place.writePictures()
    try #require(try place.train("pictures").status == 0)
    try #require(try place.graft("export", "run/model.keras", "--format", "h5", "--output", "model.h5").status == 0)
    let input = Tensor(generatedFor: "stock", shape: [6, 32, 32, 3], factor: 255, summand: 0)
    try input.write(npy: "\(place.path)/x.npy")
    for model in ["run/model.keras", "model.h5"] {
      let outcome = try keras(model, "x.npy", "theirs.npy", in: place.path)
      try #require(outcome.status == 0, "\(outcome.error)")
      try #require(try place.graft("apply", model, "--input", "x.npy", "--output", "ours.npy").status == 0)
      expectEqual(try Tensor(npy: "\(place.path)/ours.npy"), try Tensor(npy: "\(place.path)/theirs.npy"))
    }
  }

  @Test("the default backbone gives the same probabilities on the same numbers", .enabled(if: python != nil))
  func backbone() throws {
    let place = try Workplace()
    let model = "\(root)/pretrained/efficientnet-lite0.h5"
    let input = Tensor(generatedFor: "stock", shape: [3, 224, 224, 3], factor: 255, summand: 0)
    try input.write(npy: "\(place.path)/x.npy")
    let outcome = try keras(model, "x.npy", "theirs.npy", in: place.path)
    try #require(outcome.status == 0, "\(outcome.error)")
    try #require(try place.graft("apply", model, "--input", "x.npy", "--output", "ours.npy").status == 0)
    expectEqual(try Tensor(npy: "\(place.path)/ours.npy"), try Tensor(npy: "\(place.path)/theirs.npy"))
  }

  @Test(
    "the default backbone finds at least 17 of 20 photos' classes first and all among five",
    .enabled(if: photos != nil))
  func photographs() throws {
    let files = try #require(photos)
    try #require(files.count == 20)
    let outcome = try Program.run(["predict", "efficientnet-lite0"] + files + ["--top", "5", "--json"], in: root)
    try #require(outcome.status == 0, "\(outcome.error)")
    let answers = try JSONDecoder().decode([Prediction].self, from: Data(outcome.output.utf8))
    var first = 0
    var amongFive = 0
    for answer in answers {
      // The label stands in the name: imagenet_07_609.jpg.
      let label = try #require(answer.file.split(separator: "_").last?.split(separator: ".").first.flatMap { Int($0) })
      first += answer.top[0].index == label ? 1 : 0
      amongFive += answer.top.contains { $0.index == label } ? 1 : 0
    }
    #expect(first >= 17, "\(first) of 20")
    #expect(amongFive == 20, "\(amongFive) of 20")
  }
}
