import Foundation
import Testing

/// A moment of what `scripts/fuzz-files` does for long.
@Suite struct FuzzTests {
  @Test func damagedFilesEndInAnAnswerOrASentence() throws {
    let run = try FuzzRun("in-process", seed: 1, from: 0, count: 300)
    // Nothing falls but libhdf5, which trusts a damaged file now and then.
    #expect(run.status == 0, "\(run.fallen)")
    #expect(run.answered == 300)
    for fallen in run.fallen {
      let number = try #require(fallen.split(separator: " ").first.flatMap { Int($0) })
      let isolated = try FuzzRun("isolated", seed: 1, from: number, count: 1)
      #expect(isolated.status == 0 && isolated.fallen.allSatisfy { $0.contains(" stopped ") }, "\(fallen)")
    }
  }

  @Test func damagedFilesInAReaderOfTheirOwnEndInAnAnswerOrASentence() throws {
    let run = try FuzzRun("isolated", seed: 2, from: 0, count: 60)
    #expect(run.status == 0, "\(run.fallen)")
    #expect(run.answered == 60)
  }

  @Test func whatFallsIsToldFromWhatTheLibraryLetsFall() throws {
    for (blame, expected) in [("own", "outside"), ("library", "inside"), ("servant", "inside"), ("spin", "outside")] {
      let run = try FuzzRun(["fall", blame])
      #expect(run.lines.first?.hasPrefix("\(expected) ") == true, "\(blame): \(run.lines)")
    }
  }
}

/// What the program that damages files did.
private struct FuzzRun {
  /// Its exit status, or the signal that ended it.
  let status: Int32
  /// All that it said.
  let lines: [String]

  /// What it said of inputs that ended their child.
  var fallen: [String] { lines.filter { $0.first?.isNumber == true } }

  /// How many inputs it tells of in the end.
  var answered: Int { lines.last?.split(separator: " ").compactMap { Int($0) }.reduce(0, +) ?? 0 }

  init(_ mode: String, seed: Int, from first: Int, count: Int) throws {
    let fixtures = URL(fileURLWithPath: Fixtures.path("plain-3.h5")).deletingLastPathComponent()
    try self.init([mode, "\(seed)", "\(first)", "\(count)", fixtures.path])
  }

  init(_ arguments: [String]) throws {
    let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    let process = Process()
    process.executableURL = tests.appendingPathComponent("FuzzFiles")
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    lines = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      .split(separator: "\n").map(String.init)
    process.waitUntilExit()
    status = process.terminationStatus
  }
}
