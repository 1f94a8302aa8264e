import Foundation
import Graft
import TestPictures
import Testing

@Suite("The example in the README")
struct ReadmeTests {
  @Test("is the one that is compiled here")
  func text() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let source = try String(contentsOf: folder.appendingPathComponent("ReadmeExample.swift"), encoding: .utf8)
    let root = folder.deletingLastPathComponent().deletingLastPathComponent()
    let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
    #expect(readme.contains("```swift\n\(source)```\n"))
  }

  @Test("has schedules that can be read")
  func schedules() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
    let blocks = readme.components(separatedBy: "```yaml\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
    #expect(!blocks.isEmpty)
    for block in blocks { #expect(try Schedule(yaml: block, name: "README.md").phases.count == 2) }
  }

  @Test("fine-tunes the default backbone and exports it")
  func example() async throws {
    let folder = try TemporaryFolder()
    for (colour, name) in ["red", "green", "blue"].enumerated() {
      try ClassPictures.write(colour: colour, count: 6, side: 32, to: "\(folder.path)/pictures/\(name)")
    }
    let output = "\(folder.path)/run"
    try await fineTune("\(folder.path)/pictures", into: output)
    for file in ["run.yaml", "events.jsonl", "checkpoint.h5", "model.keras", "result.json", "model.h5"] {
      #expect(FileManager.default.fileExists(atPath: "\(output)/\(file)"), "\(file) is missing")
    }
    let written = try Model.read("\(output)/model.h5")
    let kept = try Model.read("\(output)/model.keras")
    #expect(written.weights == kept.weights)
    #expect(written.tasks.map(\.classes) == [["blue", "green", "red"]])
    let backbone = try Backbone.load("efficientnet-lite0")
    let frozen = kept.graph.parameters.map(\.path).filter { $0.layer.hasPrefix("block6") }
    #expect(!frozen.isEmpty)
    #expect(frozen.allSatisfy { kept.weights[$0] == backbone.weights[$0] })
    let top = ParameterPath("top_conv", "kernel")
    #expect(kept.weights[top] != nil)
  }
}
