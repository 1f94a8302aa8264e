import Foundation
import Testing
import Training

@Suite struct RunFolderTests {
  @Test func aFolderThatHoldsARunIsRefusedUnlessItMayBeReplaced() throws {
    let parent = try TemporaryFolder()
    let path = parent.path + "/deep/run"
    let folder = try RunFolder(at: path)
    try folder.write(Data("version: 1\n".utf8), to: .configuration)
    try Data("mine".utf8).write(to: URL(fileURLWithPath: path + "/notes.txt"))
    let error = #expect(throws: TrainingError.self) { try RunFolder(at: path) }
    #expect(error?.description == "\(path): holds a run already; name another folder, or add --force")
    _ = try RunFolder(at: path, replacing: true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["notes.txt"])
  }

  @Test func aFileInPlaceOfTheFolderIsRefused() throws {
    let parent = try TemporaryFolder()
    let path = parent.path + "/run"
    try Data().write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: TrainingError.self) { try RunFolder(at: path, replacing: true) }
    #expect(error?.code == .outputExists)
  }

  @Test func aPlaceWhereNoFolderCanBeIsNamed() throws {
    let error = #expect(throws: TrainingError.self) { try RunFolder(at: "/proc/run") }
    #expect(error?.code == .outputUnwritable)
    #expect(error?.subject == "/proc/run")
  }

  @Test func aFileAppearsWholeOrNotAtAll() throws {
    let parent = try TemporaryFolder()
    let folder = try RunFolder(at: parent.path)
    try folder.write(Data("first".utf8), to: .result)
    // A folder in its place cannot be replaced by a file.
    try FileManager.default.createDirectory(atPath: folder[.model] + "/x", withIntermediateDirectories: true)
    let error = #expect(throws: TrainingError.self) { try folder.write(Data("second".utf8), to: .model) }
    #expect(error?.code == .outputUnwritable)
    #expect(try parent.contents() == ["model.keras", "result.json"])
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder[.result])) == Data("first".utf8))
  }
}
