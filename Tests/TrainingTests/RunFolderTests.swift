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

  @Test func whatIsNoRunDoesNotGoOn() throws {
    let parent = try TemporaryFolder()
    let path = parent.path + "/run"
    func sentence() -> String? { #expect(throws: TrainingError.self) { try RunFolder(resuming: path) }?.description }
    #expect(sentence() == "\(path): expected the folder of a run, found nothing")
    try Data().write(to: URL(fileURLWithPath: path))
    #expect(sentence() == "\(path): expected the folder of a run, found a file")
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    try Data().write(to: URL(fileURLWithPath: path + "/run.yaml.123.part"))
    #expect(sentence()?.contains("holds no run yet: the one here ended before it had begun") == true)
    try Data().write(to: URL(fileURLWithPath: path + "/notes.txt"))
    #expect(sentence() == "\(path): holds no run: there is no run.yaml in it")
  }

  @Test func whatAKilledProcessLeavesIsRemovedAndNothingElse() throws {
    let parent = try TemporaryFolder()
    let folder = try RunFolder(at: parent.path)
    let leftovers = [
      "run.yaml.12.part", "checkpoint.h5.12-0.part", "checkpoint.previous.h5.12.part", "model.keras.12.part",
      "model.keras.12.part.aB3dEf", ".12.part", ".features-12",
    ]
    let others = ["run.yaml", "checkpoint.h5", "part", "my.12.part", "run.yaml.mine.part", "model.keras.12", ".hidden"]
    for name in leftovers + others { try Data().write(to: URL(fileURLWithPath: "\(parent.path)/\(name)")) }
    folder.removeLeftovers()
    #expect(try parent.contents() == others.sorted())
  }

  @Test func oneProcessWorksInAFolderAtATime() throws {
    let parent = try TemporaryFolder()
    var lock = try RunLock(parent.path)
    #expect(lock != nil)
    let error = #expect(throws: TrainingError.self) { try RunLock(parent.path) }
    #expect(error?.description == "\(parent.path): another process is training here")
    lock = nil
    #expect(try RunLock(parent.path) != nil)
    #expect(try RunLock(parent.path + "/nothing") == nil)
  }

  @Test func aFileIsKeptUnderASecondName() throws {
    let parent = try TemporaryFolder()
    let folder = try RunFolder(at: parent.path)
    for number in 1...3 {
      let bytes = Array("checkpoint \(number)".utf8)
      try bytes.withUnsafeBytes { try folder.write([$0], to: .checkpoint, keeping: .previousCheckpoint) }
      #expect(try String(contentsOfFile: folder[.checkpoint], encoding: .utf8) == "checkpoint \(number)")
      if number > 1 {
        let previous = try String(contentsOfFile: folder[.previousCheckpoint], encoding: .utf8)
        #expect(previous == "checkpoint \(number - 1)")
      }
    }
    #expect(try parent.contents() == ["checkpoint.h5", "checkpoint.previous.h5"])
  }
}
