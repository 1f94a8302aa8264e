import Foundation
import Testing

/// A moment of what `scripts/fuzz-files` does for long.
@Suite struct FuzzTests {
  @Test(arguments: [("in-process", 1, 300), ("isolated", 2, 60)])
  func damagedFilesEndInAnAnswerOrASentence(mode: String, seed: Int, count: Int) throws {
    let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    let process = Process()
    process.executableURL = tests.appendingPathComponent("FuzzFiles")
    let fixtures = URL(fileURLWithPath: Fixtures.path("plain-3.h5")).deletingLastPathComponent()
    process.arguments = [mode, "\(seed)", "0", "\(count)", fixtures.path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "the last inputs: \(text.suffix(200))")
    let words = text.split(separator: "\n").last?.split(separator: " ") ?? []
    #expect(words.compactMap { Int($0) }.reduce(0, +) == count, "\(words)")
  }
}
