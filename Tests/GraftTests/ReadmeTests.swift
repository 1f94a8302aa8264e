import Foundation
// README.md shows what stands between the marks.
// begin
import Graft
import Testing

func fineTune(_ pictures: String, into output: String) async throws {
  let dataset = try Dataset.read(at: pictures)
  let backbone = try Backbone.load("efficientnet-lite0")
  var tuning = FineTuning(backbone, on: dataset)
  tuning.schedule.phases[1].train = .head + .stages(last: 1)  // all else stays frozen
  let run = try await tuning.run(output: output)
  print("test accuracy", run.result.test["class"]?.accuracy ?? 0)
  for answer in try await run.model.predict([dataset.file(of: 0)]) { print(answer.top[0].name) }
  try run.model.write(to: "\(output)/model.h5", format: .wholeModelH5)
}
// end

@Suite("The example in the README")
struct ReadmeTests {
  @Test("is this file's")
  func text() throws {
    let source = try String(contentsOfFile: #filePath, encoding: .utf8)
    let marked = try #require(source.components(separatedBy: "// begin\n").dropFirst().first)
    let snippet = try #require(marked.components(separatedBy: "// end\n").first)
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../README.md")
    let readme = try String(contentsOf: root.standardizedFileURL, encoding: .utf8)
    #expect(readme.contains("```swift\n\(snippet)```\n"))
  }

  @Test("fine-tunes the default backbone and exports it")
  func example() async throws {
    let folder = try TemporaryFolder()
    try Pictures.write(classes: ["red", "green", "blue"], count: 6, to: "\(folder.path)/pictures")
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
