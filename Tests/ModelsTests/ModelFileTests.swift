import Foundation
import Graphs
import KerasFormats
import Models
import Tasks
import Tensors
import Testing

@Suite struct ModelFileTests {
  private func model() throws -> Model {
    let graph = try SmallBackbone.graph(stages: true)
    return try Model.fineTuning(
      graph, weights: .generated(for: graph),
      tasks: [TaskDescription(kind: .classification(classes: ["ja", "nein", "größer \"als\" 1"]))],
      imageSize: Size2D(16),
      provenance: ModelDocument.Provenance(
        backbone: "small", backboneSHA256: "00ff", licence: "Apache-2.0", seed: .max),
      seed: 3)
  }

  private func withFile<Result>(_ name: String, _ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("graft-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.appendingPathComponent(name).path)
  }

  @Test(arguments: [KerasFormat.keras, .wholeModelH5])
  func aModelComesBackFromItsFile(_ format: KerasFormat) throws {
    var model = try model()
    model.document?.parity = ModelDocument.Parity(seed: 5, outputs: [[0.25, 0.5, 0.25]])
    let read = try withFile("model.file") { path in
      try model.write(to: path, format: format)
      return try Model.read(path)
    }
    #expect(read.document == model.document)
    #expect(read.weights == model.weights)
    #expect(read.graph.layerNames == model.graph.layerNames)
    #expect(read.graph.stages == model.graph.stages)
  }

  @Test func aFileOfKerasOpensWithNumbersForClasses() throws {
    let graph = try SmallBackbone.graph(stages: false)
    let read = try withFile("model.keras") { path in
      try Model(graph: graph, weights: .generated(for: graph)).write(to: path)
      return try Model.read(path)
    }
    #expect(read.document == nil)
    #expect(read.tasks.map(\.classes) == [["0", "1", "2", "3", "4"]])
    #expect(read.heads.map(\.outputLayer) == ["classifier"])
  }

  @Test func aDocumentOfANewerVersionIsRefused() throws {
    let model = try model()
    let json = try #require(model.document).json()
    let newer = String(decoding: json, as: UTF8.self).replacing("\"formatVersion\" : 1", with: "\"formatVersion\" : 9")
    let error = #expect(throws: ModelError.self) { try ModelDocument(json: Array(newer.utf8), name: "x.keras") }
    #expect(error?.description == "x.keras: graft.json: has version 9, and this program knows up to 1")
  }

  @Test(arguments: ["", "[]", "{\"formatVersion\": 1}", "{\"formatVersion\": \"1\"}", "\u{FF}"])
  func aDocumentThatIsNoneIsRefused(_ text: String) throws {
    let error = #expect(throws: ModelError.self) { try ModelDocument(json: Array(text.utf8), name: "x.keras") }
    #expect(error?.code == .unfitDocument)
  }

  @Test func aDocumentOfAnotherNetworkIsRefused() throws {
    let model = try model()
    var document = try #require(model.document)
    document.heads[0].outputLayer = "conv1"
    #expect(throws: ModelError.self) { try document.check(against: model.graph, name: "x") }
    document = try #require(model.document)
    document.tasks[0].kind = .classification(classes: ["a", "b"])
    let error = #expect(throws: ModelError.self) { try document.check(against: model.graph, name: "x") }
    #expect(error?.description == "x: task class has 2 classes, but its output is [3]")
    document = try #require(model.document)
    document.picture.width = 17
    #expect(throws: ModelError.self) { try document.check(against: model.graph, name: "x") }
  }

  @Test(arguments: [
    (#""height" : 16"#, #""height" : -5"#, "wants pictures of -5 x 16, where 1 to 4096 are expected"),
    (#""width" : 16"#, #""width" : 1099511627776"#, "wants pictures of 16 x 1099511627776, where 1 to 4096"),
    (#""fit" : "crop""#, #""fit" : "../x""#, #"expected crop, squash, pad as the fit of pictures, found "../x""#),
    (#""height" : 16"#, #""height" : "tall""#, "picture.height must be a whole number"),
    (#""height" : 16"#, #""height" : 1e99"#, "the text: "),
    (#""formatVersion" : 1"#, #""formatVersion" : 99"#, "has version 99, and this program knows up to 1"),
  ])
  func whatADocumentSaysIsCheckedBeforeItIsUsed(old: String, new: String, sentence: String) throws {
    let text = String(decoding: try #require(try model().document?.json()), as: UTF8.self)
    #expect(text.contains(old), "\(text)")
    let changed = text.replacing(old, with: new)
    let error = #expect(throws: ModelError.self) { try ModelDocument(json: Array(changed.utf8), name: "x.keras") }
    #expect(error?.description.hasPrefix("x.keras: graft.json: \(sentence)") == true, "\(error?.description ?? "")")
  }

  @Test func aSampleOfOtherOutputsIsRefused() throws {
    let model = try model()
    var document = try #require(model.document)
    document.parity = ModelDocument.Parity(seed: 1, outputs: [[1]])
    let error = #expect(throws: ModelError.self) { try document.check(against: model.graph, name: "x") }
    #expect(
      error?.description == "x: graft.json has a sample with outputs of [1] numbers, where [3] are expected")
  }

  @Test func theParityInputIsPixels() throws {
    let input = try model().parityInput(seed: 1)
    #expect(input.shape == [1, 16, 16, 3])
    #expect(input.floats.allSatisfy { $0 >= 0 && $0 < 255 })
    #expect(try model().parityInput(seed: 2) != input)
  }
}
