import Datasets
import Foundation
import Testing
import TinyRuns
import Training

/// A run that is killed at any instant goes on as if it had not been.
///
/// Each seed draws a run, which is made once without a stop and once by processes that are killed at drawn instants, until
/// one of them comes to the end. The numbers of kills of all seeds together are more than 200.
@Suite struct KilledRunTests {
  @Test(arguments: 1...24 as ClosedRange<UInt64>)
  func aRunThatIsKilledEndsWithTheSameBits(seed: UInt64) throws {
    let parent = try TemporaryFolder()
    let (whole, killed) = ("\(parent.path)/whole", "\(parent.path)/killed")
    let instantCount = try #require(Int(try start(whole, seed).output))
    let drawn = DrawnRun(seed: seed)
    let expected = try RunRemains(of: whole, drawn)
    var draw = SeededGenerator(seed: seed, 0x6b69_6c6c)
    var killCount = 0
    // The first instants come one after the other: there is most to go wrong. Then an eighth of the run at most, and in
    // the end more and more, since a process that is killed before its first checkpoint leaves nothing to the next.
    while killCount < 100 {
      let share = max(2, (killCount - 8) * 4)
      let gap = killCount < 3 ? killCount + 1 : 1 + draw.index(below: instantCount * share / 16 + 1)
      let outcome = try start(killed, seed, gap)
      if outcome.status == 0 { break }
      try #require(outcome.status == SIGKILL, "\(outcome.error)")
      killCount += 1
    }
    #expect(killCount >= 9)
    let found = try RunRemains(of: killed, drawn)
    #expect(found.checkpoint == expected.checkpoint)
    #expect(found.events == expected.events)
    #expect(found.result == expected.result)
    #expect(found.configuration == expected.configuration)
    #expect(found.model == expected.model)
    let files = try FileManager.default.contentsOfDirectory(atPath: killed)
    #expect(Set(files).isSubset(of: RunFolder.File.allCases.map(\.rawValue)))
  }

  /// Lets another process train in a folder, which is killed at an instant.
  private func start(
    _ folder: String, _ seed: UInt64, _ instant: Int? = nil
  ) throws -> (status: Int32, output: String, error: String) {
    let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    let process = Process()
    process.executableURL = tests.appendingPathComponent("KilledRun")
    process.arguments = [folder, "\(seed)"] + (instant.map { ["\($0)"] } ?? [])
    let (output, error) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = error
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let reason = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text.trimmingCharacters(in: .newlines), reason)
  }
}
