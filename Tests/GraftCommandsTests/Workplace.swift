import Foundation
import Graft
import TestPictures

/// A folder with a small backbone, small pictures, and whatever else a test puts there; removed with its owner.
final class Workplace: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("graft-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Runs `graft` here.
  func graft(_ arguments: String..., stdout: String? = nil) throws -> Program.Outcome {
    try Program.run(arguments, in: path, stdout: stdout)
  }

  /// Runs `graft train` here on the small backbone.
  func train(_ data: String, _ more: String..., output: String = "run") throws -> Program.Outcome {
    try Program.run(
      ["train", "--data", data, "--backbone", "small.h5", "--output", output, "--epochs", "3"] + more, in: path)
  }

  /// Writes a file.
  func write(_ bytes: Data, to name: String) throws {
    let url = URL(fileURLWithPath: path).appendingPathComponent(name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try bytes.write(to: url)
  }

  /// Writes a class folder of bitmaps: the channel `colour` is bright, each picture has a pattern of its own.
  func writeClass(_ name: String, colour: Int, count: Int, in folder: String = "pictures") throws {
    try ClassPictures.write(colour: colour, count: count, side: 24, to: "\(path)/\(folder)/\(name)")
  }

  /// Writes three classes of so many pictures.
  func writePictures(count: Int = 8, in folder: String = "pictures") throws {
    for (colour, name) in ["red", "green", "blue"].enumerated() {
      try writeClass(name, colour: colour, count: count, in: folder)
    }
  }

  /// Writes `small.h5`: two convolutions and a classifier for pictures of 32 x 32.
  func writeBackbone() throws {
    var graph = Graph(name: "small")
    var node = try graph.addInput(Input(shape: [32, 32, 3]), named: "pictures")
    node = try graph.apply(Rescaling(scale: [1 / 128], offset: [-1]), named: "rescaling", to: [node])
    for (index, filters) in [8, 16].enumerated() {
      let conv = Conv2D(filters: filters, kernelSize: Size2D(3), strides: Size2D(2), padding: .same, usesBias: false)
      node = try graph.apply(conv, named: "conv\(index + 1)", to: [node])
      node = try graph.apply(BatchNormalization(), named: "bn\(index + 1)", to: [node])
      node = try graph.apply(Activation(.relu()), named: "relu\(index + 1)", to: [node])
    }
    node = try graph.apply(GlobalAveragePooling2D(), named: "pool", to: [node])
    node = try graph.apply(Dense(units: 5, activation: .softmax), named: "classes", to: [node])
    graph.outputs = [node]
    try KerasFiles.write(graph, weights: .generated(for: graph), to: "\(path)/small.h5", format: .wholeModelH5)
  }
}

/// A file of the tests' fixtures.
func fixture(_ name: String) -> URL {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/\(name)")
}
