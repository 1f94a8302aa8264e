import Foundation
import Testing

/// A moment of what `scripts/fuzz-files` does for long.
@Suite struct FuzzTests {
  @Test func damagedFilesEndInAnAnswerOrASentence() throws {
    var next = 0
    while next < 300 {
      let run = try FuzzRun("in-process", seed: 1, from: next, count: 300 - next)
      if run.status == 0 {
        #expect(run.answered == 300 - next)
        break
      }
      // libhdf5 trusts a damaged file now and then, and what comes of that differs with where memory lies. What Graft
      // does wrong ends in a trap, or ends the same way every time.
      let bad = try #require(run.last)
      #expect(![SIGILL, SIGTRAP].contains(run.status), "Graft fell over input \(bad)")
      let statuses = try (0..<3).map { _ in try FuzzRun("in-process", seed: 1, from: bad, count: 1).status }
      #expect(statuses.contains(0), "input \(bad) ends the process every time")
      #expect(try FuzzRun("isolated", seed: 1, from: bad, count: 1).status == 0, "input \(bad) gets through isolation")
      next = bad + 1
    }
  }

  @Test func damagedFilesInAReaderOfTheirOwnEndInAnAnswerOrASentence() throws {
    let run = try FuzzRun("isolated", seed: 2, from: 0, count: 60)
    #expect(run.status == 0)
    #expect(run.answered == 60)
  }
}

/// What the program that damages files did.
private struct FuzzRun {
  /// Its exit status, or the signal that ended it.
  var status: Int32
  /// The input that it was at last.
  var last: Int?
  /// How many inputs ended as they should, if it came to its end.
  var answered = 0

  init(_ mode: String, seed: Int, from first: Int, count: Int) throws {
    let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    let process = Process()
    process.executableURL = tests.appendingPathComponent("FuzzFiles")
    let fixtures = URL(fileURLWithPath: Fixtures.path("plain-3.h5")).deletingLastPathComponent()
    process.arguments = [mode, "\(seed)", "\(first)", "\(count)", fixtures.path]
    process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let lines = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      .split(separator: "\n").map { $0.split(separator: " ") }
    process.waitUntilExit()
    status = process.terminationStatus
    last = lines.compactMap { $0.first.flatMap { Int($0) } }.last
    if lines.last?.first == "read" { answered = lines.last?.compactMap { Int($0) }.reduce(0, +) ?? 0 }
  }
}
