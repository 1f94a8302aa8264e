import Backbones
import Foundation
import Graphs
import Testing

@Suite struct PretrainedFoldersTests {
  private static let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

  /// A folder with a manifest of one model, whose file holds the three bytes `abc`.
  private func withFolder(sha256: String = Self.digest, _ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pretrained-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let manifest = """
      {"version": 1, "models": [{
        "name": "small-net", "family": "MobileNetV2_0.35", "file": "small-net.h5", "sha256": "\(sha256)",
        "parameterCount": 1691208, "inputSize": {"height": 224, "width": 192},
        "preprocessing": {"insideModel": false, "mode": "tf"},
        "stages": [{"name": "stem", "lastLayer": "Conv1_relu"}], "head": {"layers": ["predictions"]},
        "classCount": 1000, "classNames": {"file": "classes.txt"}, "licence": "Apache-2.0",
        "source": {"package": "somewhere", "version": "1.0", "licence": "Apache-2.0", "what": "a file"}
      }]}
      """
    try Data(manifest.utf8).write(to: folder.appendingPathComponent("manifest.json"))
    try Data("abc".utf8).write(to: folder.appendingPathComponent("small-net.h5"))
    try body(folder.path)
  }

  @Test func aManifestSaysWhatIsThere() throws {
    try withFolder { folder in
      let folders = try PretrainedFolders(searching: ["/nowhere", folder, folder])
      let entry = try #require(folders.entries.first)
      #expect(folders.entries.count == 1)
      #expect(entry.path == "\(folder)/small-net.h5" && entry.classNamesPath == "\(folder)/classes.txt")
      #expect(entry.family?.name == "mobilenetv2-0.35")
      #expect(entry.model.inputSize == Size2D(224, 192) && entry.model.preprocessing == .tf)
      let written = try JSONEncoder().encode(PretrainedManifest(models: [entry.model]))
      #expect(try JSONDecoder().decode(PretrainedManifest.self, from: written).models == [entry.model])
    }
  }

  @Test(arguments: ["small-net", "Small_Net", "mobilenetv2-0.35"])
  func aModelIsFoundByNameOrFamily(name: String) throws {
    try withFolder { folder in
      let folders = try PretrainedFolders(searching: [folder])
      #expect(try folders.resolve(name) == .pretrained(try #require(folders.entries.first)))
    }
  }

  @Test func aFileIsFoundByItsPath() throws {
    try withFolder { folder in
      let folders = try PretrainedFolders(searching: [])
      #expect(try folders.resolve("\(folder)/small-net.h5") == .file("\(folder)/small-net.h5"))
      let error = #expect(throws: BackboneError.self) { try folders.resolve(folder) }
      #expect(error?.detail == "expected a weight file, found a folder")
    }
  }

  @Test func whatIsMissingIsSaidWithWhereItWasLookedFor() throws {
    try withFolder { folder in
      let folders = try PretrainedFolders(searching: ["/nowhere", folder])
      let unknown = #expect(throws: BackboneError.self) { try folders.resolve("smallnet2") }
      #expect(
        unknown?.description
          == "backbone smallnet2: is neither a file nor a pretrained model; looked in \(folder) and found small-net")
      let family = #expect(throws: BackboneError.self) { try folders.resolve("resnet50") }
      #expect(
        family?.description
          == "backbone resnet50: is a family without a file here; looked in \(folder) and found small-net")
    }
    let nothing = #expect(throws: BackboneError.self) {
      try PretrainedFolders(searching: ["/nowhere"]).resolve("resnet50")
    }
    #expect(nothing?.detail == "is a family without a file here; looked in /nowhere and found no models")
  }

  @Test func aChangedFileIsFoundOut() throws {
    try withFolder { folder in
      try #require(PretrainedFolders(searching: [folder]).entries.first).verify()
    }
    try withFolder(sha256: String(repeating: "0", count: 64)) { folder in
      let entry = try #require(try PretrainedFolders(searching: [folder]).entries.first)
      let error = #expect(throws: BackboneError.self) { try entry.verify() }
      #expect(error?.code == .damagedFile)
      try FileManager.default.removeItem(atPath: entry.path)
      #expect(throws: BackboneError.self) { try entry.verify() }
      #expect(throws: BackboneError.self) { try PretrainedFolders(searching: [folder]).resolve("small-net") }
    }
  }

  @Test(arguments: [
    ("{", "is no JSON"), ("[]", "the whole is no object"), (#"{"version": 1}"#, "models is missing"),
    (#"{"version": 2, "models": []}"#, "expected version 1, found 2"),
    (#"{"version": 1, "models": [{"name": 3}]}"#, "models.0.name is no text"),
  ])
  func aDamagedManifestIsNamed(text: String, detail: String) throws {
    try withFolder { folder in
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/manifest.json"))
      let error = #expect(throws: BackboneError.self) { try PretrainedFolders(searching: [folder]) }
      #expect(error?.code == .unreadableManifest && error?.subject == "\(folder)/manifest.json")
      #expect(error?.detail.hasPrefix(detail) == true, "\(error?.detail ?? "")")
    }
  }

  @Test func foldersAreSearchedFromTheNearestOut() {
    let folders = PretrainedFolders.usualFolders(
      environment: ["GRAFT_PRETRAINED": "/weights"], current: "/home/user", program: "/opt/tool/bin/graft")
    #expect(
      folders == [
        "/weights", "/home/user/pretrained", "/opt/tool/bin/pretrained", "/opt/tool/pretrained", "/opt/pretrained",
      ])
    #expect(PretrainedFolders.usualFolders(environment: [:], current: "/", program: nil) == ["/pretrained"])
    #expect(
      PretrainedFolders.usualFolders(environment: ["HOME": "/home/user"], current: "/", program: nil)
        == ["/pretrained", "/home/user/.keras/models"])
  }

  @Test func theEmbeddedBackboneIsTheFamilyInCode() throws {
    let folder = Golden.repository.appendingPathComponent("pretrained").path
    let folders = try PretrainedFolders(searching: [folder])
    guard case .pretrained(let entry) = try folders.resolve("efficientnet-lite0") else {
      Issue.record("the embedded backbone is no entry of its manifest")
      return
    }
    try entry.verify()
    let family = try #require(entry.family)
    let graph = try family.graph(classCount: entry.model.classCount)
    #expect(family.name == entry.model.name && family.preprocessing == entry.model.preprocessing)
    let trainable = graph.parameters.map(\.parameter).filter(\.isTrainable)
    #expect(trainable.reduce(0) { $0 + $1.shape.elementCount } == entry.model.parameterCount)
    #expect(family.stageEnds.map(\.name) == entry.model.stageEnds.map(\.name))
    #expect(family.stageEnds.map(\.lastLayer) == entry.model.stageEnds.map(\.lastLayer))
    let trunk = try family.graph(size: entry.model.inputSize)
    #expect(graph.layerNames.filter { trunk[layer: $0] == nil } == entry.model.headLayers)
  }
}
