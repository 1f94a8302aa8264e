import Foundation
import Graft

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
    for number in 0..<count {
      let bytes = Workplace.bitmap(side: 24) { x, y in
        let stripe = ((x + y * (number + 1)) / 4).isMultiple(of: 2) ? 40 : 0
        return (0..<3).map { UInt8(($0 == colour ? 180 : 30) + stripe) }
      }
      try write(bytes, to: "\(folder)/\(name)/picture\(number).bmp")
    }
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

  /// A square bitmap of 24 bits a pixel, bottom row first, blue first.
  static func bitmap(side: Int, _ colour: (_ x: Int, _ y: Int) -> [UInt8]) -> Data {
    let rowLength = (side * 3 + 3) / 4 * 4
    var bytes = Data("BM".utf8)
    func append(_ value: Int, _ count: Int) {
      for byte in 0..<count { bytes.append(UInt8(value >> (8 * byte) & 0xff)) }
    }
    append(54 + rowLength * side, 4)
    append(0, 4)
    append(54, 4)
    for (value, count) in [(40, 4), (side, 4), (side, 4), (1, 2), (24, 2), (0, 4), (rowLength * side, 4)] {
      append(value, count)
    }
    for _ in 0..<4 { append(0, 4) }
    for y in (0..<side).reversed() {
      for x in 0..<side { bytes.append(contentsOf: colour(x, y).reversed()) }
      append(0, rowLength - side * 3)
    }
    return bytes
  }
}

/// A file of the tests' fixtures.
func fixture(_ name: String) -> URL {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/\(name)")
}
