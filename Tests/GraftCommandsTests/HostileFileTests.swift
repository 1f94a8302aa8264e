import Foundation
import Graft
import Testing

/// The files that `scripts/make-hostile-fixtures` wrote, given to the real program.
@Suite("Hostile files")
struct HostileFileTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  /// Each file with what is said about it.
  static let corpus: [(file: String, words: String)] = [
    ("external-link.h5", "is an external link, which is not followed"),
    ("external-link-in-path.h5", "is an external link, which is not followed"),
    ("soft-link.h5", "is a soft link, which is not followed"),
    ("user-link.h5", "is a user-defined link, which is not followed"),
    ("external-storage.h5", "keeps its elements in other files"),
    ("virtual-dataset.h5", "is a virtual dataset"),
    ("foreign-filter.h5", "is packed by filter 32000 (lzf)"),
    ("deflate-bomb.h5", "the deflated bytes do not end where the chunk does"),
    ("half-chunk.h5", "cannot be unpacked"),
    ("huge-shape.h5", "declares 4.3 TB, but the file backs only 0 bytes"),
    ("huge-chunks.h5", "declares 4.3 TB, but the whole file has only"),
    ("huge-attribute.h5", "attribute \"layer_names\""),
    ("wrong-rank.h5", "another shape for"),
    ("dotted-name.h5", "has a name that no path can carry"),
    ("dotted-name-of-weights.h5", "does not exist"),
    ("newline-name.h5", "has a name that no path can carry"),
    ("newline-name-of-weights.h5", "does not exist"),
    ("nul-name.h5", "has a name that no path can carry"),
    ("nul-name-of-weights.h5", "does not exist"),
    ("deep.weights.h5", "holds weights|lies more than 64 networks deep"),
    ("cycle.weights.h5", "holds weights|lies more than 64 networks deep"),
    ("nested-json.keras", "values lie more than 200 deep"),
    ("lambda.keras", "holds Python code, which is never run"),
    ("python-module.keras", "is a custom layer (os), whose code is never run"),
    ("dotted-name.keras", "has a name that no path can carry"),
    ("absolute-member.keras", "would lie outside the archive"),
    ("dotted-member.keras", "would lie outside the archive"),
    ("duplicate-member.keras", "stands twice in the archive"),
    ("zip-bomb.keras", "is no honest member"),
  ]

  @Test("Each is refused in one sentence, soon and in little memory", arguments: corpus, [[], ["--trust"]])
  func refused(file: (file: String, words: String), options: [String]) throws {
    let path = fixture("hostile/\(file.file)").path
    let outcome = try Measured.run(
      Program.path, ["export", path, "--format", "h5", "--output", "out.h5"] + options, in: place.path)
    #expect(outcome.status == 1, "\(outcome)")
    #expect(outcome.output.isEmpty)
    let lines = outcome.error.split(separator: "\n", omittingEmptySubsequences: true)
    #expect(
      lines.count == 1 && lines[0].hasPrefix("graft: \(path)")
        && file.words.split(separator: "|").contains { lines[0].contains($0) }, "\(outcome.error)")
    #expect(!lines.joined().unicodeScalars.contains { $0.properties.generalCategory == .control })
    #expect(outcome.processorSeconds < 2)
    #expect(outcome.peakByteCount < 300 << 20, "\(outcome.peakByteCount)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.path).isEmpty)
  }

  @Test("Each is inspected without harm", arguments: corpus)
  func inspected(file: (file: String, words: String)) throws {
    let outcome = try Measured.run(Program.path, ["inspect", fixture("hostile/\(file.file)").path], in: place.path)
    // What is wrong with weights alone does not concern their description.
    #expect(outcome.status == 0 || outcome.status == 1 && outcome.error.hasPrefix("graft: "), "\(outcome)")
    #expect(outcome.processorSeconds < 2)
    #expect(outcome.peakByteCount < 300 << 20, "\(outcome.peakByteCount)")
  }

  @Test("Weights that are no numbers are a warning", arguments: [[], ["--trust"]])
  func notNumbers(options: [String]) throws {
    let path = fixture("hostile/nan-weights.h5").path
    let outcome = try place.graft("export", path, "--format", "h5", "--output", "out.h5")
    #expect(outcome.status == 0, "\(outcome)")
    try Tensor(zeros: [1, 12, 12, 3]).write(npy: "\(place.path)/x.npy")
    let applied = try Program.run(
      ["apply", path, "--input", "x.npy", "--output", "y.npy"] + options, in: place.path)
    #expect(applied.status == 0, "\(applied)")
    #expect(applied.error.contains("holds numbers that are infinite or no numbers"), "\(applied)")
  }

  @Test(
    "Nothing but the file itself is opened for a hostile file",
    .enabled(if: Trace.isPossible, "strace cannot trace here"),
    arguments: corpus.map(\.file), [[], ["--trust"]])
  func opensNothing(file: String, options: [String]) throws {
    let sound = try Trace.opened(
      [
        "export", fixture("keras/plain-3\(file.hasSuffix(".keras") ? ".keras" : ".h5")").path, "--format", "h5",
        "--output", "out.h5",
      ] + options, in: place.path)
    let path = fixture("hostile/\(file)").path
    let hostile = try Trace.opened(
      ["export", path, "--format", "h5", "--output", "out.h5"] + options, in: place.path)
    // Libraries, settings and the search for pretrained networks are the same for a sound file.
    #expect(hostile.contains(path))
    #expect(hostile.subtracting(sound) == [path])
  }

  @Test(
    "A million empty groups", .enabled(if: ProcessInfo.processInfo.environment["GRAFT_PYTHON"] != nil),
    arguments: [[], ["--trust"]])
  func millionGroups(options: [String]) throws {
    let python = try #require(ProcessInfo.processInfo.environment["GRAFT_PYTHON"])
    let script = fixture("").deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("scripts/make-hostile-fixtures.py").path
    let made = try Program.run(
      executable: python, [script, fixture("keras").path, "--large", place.path], in: place.path)
    try #require(made.status == 0, "\(made.error)")
    let outcome = try Measured.run(Program.path, ["inspect", "million-groups.weights.h5"] + options, in: place.path)
    #expect(outcome.status == 1)
    #expect(outcome.error.contains("/layers holds 1000000 names, more than the"), "\(outcome.error)")
    #expect(outcome.processorSeconds < 2)
    #expect(outcome.peakByteCount < 300 << 20, "\(outcome.peakByteCount)")
  }
}

/// A run of a program with what it took, its children included.
private struct Measured {
  let status: Int32
  let output: String
  let error: String
  let processorSeconds: Double
  let peakByteCount: Int

  static func run(_ program: String, _ arguments: [String], in folder: String) throws -> Measured {
    let report = FileManager.default.temporaryDirectory.appendingPathComponent("graft-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: report) }
    let meter = URL(fileURLWithPath: Program.path).deletingLastPathComponent().appendingPathComponent("FuzzFiles").path
    let outcome = try Program.run(executable: meter, ["measure", report.path, program] + arguments, in: folder)
    let numbers = try String(contentsOf: report, encoding: .utf8).split(separator: " ").compactMap { Double($0) }
    try #require(numbers.count == 2)
    return Measured(
      status: outcome.status, output: outcome.output, error: outcome.error, processorSeconds: numbers[0],
      peakByteCount: Int(numbers[1]))
  }
}

/// What a program opens, as strace sees it.
private enum Trace {
  private static let tracer = ["/usr/bin/strace", "/usr/local/bin/strace"].first(where: FileManager.default.fileExists)

  /// Whether strace is here and may trace: in some containers it may not.
  static let isPossible: Bool = {
    guard let tracer else { return false }
    return (try? Program.run(executable: tracer, ["-f", "-e", "trace=openat", "/bin/true"], in: "/"))?.status == 0
  }()

  /// The files that `graft` and its children have opened.
  static func opened(_ arguments: [String], in folder: String) throws -> Set<String> {
    let log = "\(folder)/trace"
    defer { unlink(log) }
    let tracer = try #require(tracer)
    _ = try Program.run(
      executable: tracer, ["-f", "-q", "-o", log, "-s", "4096", "-e", "trace=openat,open", Program.path] + arguments,
      in: folder)
    var paths: Set<String> = []
    let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
    let processes = Set(lines.compactMap { $0.split(separator: " ").first })
    for line in lines {
      let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
      guard parts.count >= 3, line.contains("open") else { continue }
      // What the system says of a traced process itself is no file of anybody else's.
      let words = parts[1].split(separator: "/")
      if words.count > 1, words[0] == "proc", processes.contains(words[1]) { continue }
      paths.insert(String(parts[1]))
    }
    return paths
  }
}
