import Backbones
import Foundation
import Testing

/// Official weight files that a user has fetched.
@Suite struct DownloadsTests {
  // As many zeros as the smallest MobileNet has numbers, and some more, with their digests.
  private static let byteCount = 880_000
  private static let md5 = "a0d6a6d0a649655b8d5c686c15e95f7f"
  private static let sha256 = "e5a972be302a7fc76c06acf94f6f494e94058d5ae37eb56a2296060e72a785e3"

  private func withFolder(
    file: String, digest: String, byteCount: Int = Self.byteCount, _ body: (String) throws -> Void
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("downloads-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let manifest = """
      {"version": 1, "models": [], "official": [
        {"family": "mobilenet-0.25", "file": "small_no_top.h5", "includeTop": false\(digest)},
        {"family": "resnet50", "file": "resnet50_notop.h5", "includeTop": false, "md5": "00"}
      ]}
      """
    try Data(manifest.utf8).write(to: folder.appendingPathComponent("manifest.json"))
    try Data(count: byteCount).write(to: folder.appendingPathComponent(file))
    try body(folder.path)
  }

  @Test(arguments: [
    #", "md5": "\#(Self.md5)""#, #", "sha256": "\#(Self.sha256)""#,
  ])
  func aFileIsRecognizedWhateverItsName(digest: String) throws {
    for name in ["small_no_top.h5", "anything.hdf5"] {
      try withFolder(file: name, digest: digest) { folder in
        let folders = try PretrainedFolders(searching: [folder])
        let found = try #require(folders.downloads().first)
        #expect(folders.downloads().count == 1 && found.isVerified)
        #expect(found.official.family == "mobilenet-0.25" && found.path == "\(folder)/\(name)")
        #expect(try folders.resolve("mobilenet-0.25") == .file("\(folder)/\(name)"))
      }
    }
  }

  @Test func whereNoHashIsPublishedTheNameSpeaks() throws {
    try withFolder(file: "small_no_top.h5", digest: "") { folder in
      let found = try PretrainedFolders(searching: [folder]).downloads()
      #expect(found.map(\.isVerified) == [false])
    }
    try withFolder(file: "other.h5", digest: "") { folder in
      let found = try PretrainedFolders(searching: [folder]).downloads()
      #expect(found.isEmpty)
    }
  }

  @Test func aFileOfAnotherSizeIsNotRead() throws {
    try withFolder(file: "other.h5", digest: #", "md5": "\#(Self.md5)""#, byteCount: 1000) { folder in
      let found = try PretrainedFolders(searching: [folder]).downloads()
      #expect(found.isEmpty)
    }
  }

  @Test func otherBytesUnderAnOfficialNameAreRefused() throws {
    try withFolder(file: "small_no_top.h5", digest: #", "md5": "00""#) { folder in
      let folders = try PretrainedFolders(searching: [folder])
      #expect(folders.downloads().isEmpty)
      let error = #expect(throws: BackboneError.self) { try folders.resolve("mobilenet-0.25") }
      #expect(error?.code == .damagedFile && error?.subject == "\(folder)/small_no_top.h5")
    }
  }

  @Test func whatIsNotThereIsSaidWithTheCallThatFetchesIt() throws {
    try withFolder(file: "other.h5", digest: "") { folder in
      let error = #expect(throws: BackboneError.self) { try PretrainedFolders(searching: [folder]).resolve("resnet50") }
      #expect(
        error?.description
          == "backbone resnet50: is a family without a file here; looked in \(folder) and found no models; in Python, "
          + "keras.applications.ResNet50(include_top=False) fetches resnet50_notop.h5 into the folder .keras/models of "
          + "your home, where it is found")
    }
  }

  @Test func theManifestListsEveryFamilyOfKeras() throws {
    let folder = Golden.repository.appendingPathComponent("pretrained").path
    let official = try PretrainedFolders(searching: [folder]).official
    for family in BackboneFamily.all where family.kerasCall != nil {
      let own = official.filter { $0.family == family.name }
      #expect(own.contains(where: \.includeTop) && own.contains { !$0.includeTop }, "\(family.name)")
    }
    #expect(official.allSatisfy { BackboneFamily.named($0.family) != nil && $0.file.hasSuffix(".h5") })
    #expect(Set(official.map(\.file)).count == official.count)
  }
}
