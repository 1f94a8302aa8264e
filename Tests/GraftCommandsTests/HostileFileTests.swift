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
    ("deep.weights.h5", "holds weights but no network|lies more than 64 networks deep"),
    ("cycle.weights.h5", "holds weights but no network|lies more than 64 networks deep"),
    ("nested-json.keras", "values lie more than 200 deep"),
    ("lambda.h5", "layer classes (Lambda) holds Python code, which is never run"),
    ("external-link.keras", "is an external link, which is not followed"),
    ("lambda.keras", "holds Python code, which is never run"),
    ("python-module.keras", "is a custom layer (os), whose code is never run"),
    ("dotted-name.keras", "has a name that no path can carry"),
    ("absolute-member.keras", "would lie outside the archive"),
    ("dotted-member.keras", "would lie outside the archive"),
    ("duplicate-member.keras", "stands twice in the archive"),
    ("zip-bomb.keras", "is no honest member"),
  ]

  /// Each index of weights in parts with the file that is to blame, its own unless said, and what is said about it.
  static let indices: [(file: String, blamed: String?, words: String)] = [
    ("dotted-part.weights.json", nil, "names the part \"../keras/parts-3_00000.weights.h5\", where dotted-part_00000"),
    ("absolute-part.weights.json", nil, "names the part \"/etc/passwd\", where absolute-part_00000"),
    ("newline-part.weights.json", nil, "names the part \"newline-part_"),
    ("nested-index.weights.json", nil, "values lie more than 200 deep"),
    ("many-parts.weights.json", nil, "names 1000 parts, where 1 to 256 are expected"),
    ("missing-part.weights.json", "missing-part_00001.weights.h5", "does not exist"),
    ("double-part.weights.json", "double-part_00001.weights.h5", "stands in another part of the weights too"),
    ("foreign-part.weights.json", "foreign-part_00000.weights.h5", "is no part of a weights file"),
    ("index-part.weights.json", "index-part_00000.weights.h5", "is no part of a weights file"),
    ("external-link-part.weights.json", "external-link-part_00000.weights.h5", "is an external link"),
    (
      "external-storage-part.weights.json", "external-storage-part_00000.weights.h5",
      "keeps its elements in other files"
    ),
    ("huge-shape-part.weights.json", "huge-shape-part_00000.weights.h5", "declares 4.3 TB, but the file backs only"),
    ("deflate-bomb-part.weights.json", "deflate-bomb-part_00000.weights.h5", "the deflated bytes do not end where"),
  ]

  @Test("No file of the corpus is forgotten")
  func whole() throws {
    let names = Set(try FileManager.default.contentsOfDirectory(atPath: fixture("hostile").path))
    let parts = names.filter { $0.contains("_0000") }
    let tried = Self.corpus.map(\.file) + Self.indices.map(\.file) + ["nan-weights.h5"]
    #expect(names.subtracting(parts) == Set(tried))
    for part in parts {
      let index = part.split(separator: "_")[0] + ".weights.json"
      #expect(Self.indices.contains { $0.file == index }, "\(part)")
    }
  }

  @Test("Each is refused in one sentence, soon and in little memory", arguments: corpus, [[], ["--trust"]])
  func refused(file: (file: String, words: String), options: [String]) throws {
    let path = fixture("hostile/\(file.file)").path
    let outcome = try Measured.run(
      Program.path, ["export", path, "--format", "h5", "--output", "out.h5"] + options, in: place.path)
    expect(outcome, blames: path, words: file.words)
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.path).isEmpty)
  }

  @Test(
    "Weights in parts are refused so too, inspected or loaded into a network", arguments: indices, [[], ["--trust"]])
  func refusedParts(index: (file: String, blamed: String?, words: String), options: [String]) throws {
    let path = fixture("hostile/\(index.file)").path
    let blamed = fixture("hostile/\(index.blamed ?? index.file)").path
    expect(
      try Measured.run(Program.path, ["inspect", path] + options, in: place.path), blames: blamed, words: index.words)
    try place.writePictures(count: 2)
    let train = ["train", "--data", "pictures", "--backbone", path, "--output", "run"]
    let trained = try Measured.run(Program.path, train + options, in: place.path)
    if index.file.hasPrefix("deflate-bomb") && options == ["--trust"] {
      // Nothing is unpacked here of weights whose shapes fit no family.
      expect(trained, blames: path, words: "fit none of the")
    } else {
      expect(trained, blames: blamed, words: index.words)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == ["pictures"])
  }

  /// Expects one sentence about a file, soon and in little memory.
  private func expect(_ outcome: Measured, blames path: String, words: String) {
    #expect(outcome.status == 1, "\(outcome)")
    #expect(outcome.output.isEmpty)
    let lines = outcome.error.split(separator: "\n", omittingEmptySubsequences: true)
    #expect(
      lines.count == 1 && lines[0].hasPrefix("graft: \(path)")
        && words.split(separator: "|").contains { lines[0].contains($0) }, "\(outcome.error)")
    #expect(!lines.joined().unicodeScalars.contains { $0.properties.generalCategory == .control })
    #expect(outcome.processorSeconds < 2)
    #expect(outcome.peakByteCount < 300 << 20, "\(outcome.peakByteCount)")
  }

  @Test("Each is refused by inspect too, in the same words", arguments: corpus, [[], ["--trust"]])
  func inspected(file: (file: String, words: String), options: [String]) throws {
    let path = fixture("hostile/\(file.file)").path
    let outcome = try Measured.run(Program.path, ["inspect", path] + options, in: place.path)
    // Where shapes alone do not fit, the file is described all the same.
    if file.file == "wrong-rank.h5" {
      #expect(outcome.status == 1 && outcome.output.hasPrefix("format"), "\(outcome)")
      #expect(outcome.error.split(separator: "\n").last?.hasPrefix("graft: \(path)") == true, "\(outcome.error)")
      #expect(outcome.error.contains(file.words))
    } else {
      expect(outcome, blames: path, words: file.words)
    }
  }

  @Test(
    "A model whose own words about it are hostile is refused in one sentence",
    arguments: [
      (#""height" : 32"#, #""height" : -5"#), (#""width" : 32"#, #""width" : 4611686018427387904"#),
      (#""fit" : "pad""#, #""fit" : "../pad""#), (#""seed" : 1"#, #""seed" : -1"#), ("{", "[[["),
      (#""task" : "class""#, #""task" : "\u001b[2J""#),
    ])
  func hostileDocument(old: String, new: String) throws {
    try place.writeBackbone()
    try place.writePictures(count: 2)
    try #require(try place.train("pictures").status == 0)
    let model = try Model.read("\(place.path)/run/model.keras")
    let text = String(decoding: try #require(try model.document?.json()), as: UTF8.self)
    try #require(text.contains(old), "\(text)")
    let changed = Array(text.replacing(old, with: new).utf8)
    let file = "\(place.path)/evil.keras"
    try KerasFiles.write(model.graph, weights: model.weights, to: file, format: .keras, graftDocument: changed)
    for arguments in [
      ["verify", file], ["inspect", file], ["predict", file, "pictures/red/picture0.bmp"],
      ["export", file, "--format", "h5", "--output", "out.h5"], ["evaluate", file, "--data", "pictures"],
    ] {
      expect(try Measured.run(Program.path, arguments, in: place.path), blames: file, words: "graft.json")
    }
  }

  @Test("Names that a terminal would obey are shown, not obeyed")
  func shown() throws {
    var graph = Graph(name: "own")
    let image = try graph.addInput(Input(shape: [8, 8, 3]), named: "image")
    graph.outputs = [try graph.apply(Flatten(), named: "flat", to: [image])]
    graph.outputs = [try graph.apply(Dense(units: 2, activation: .softmax), named: "classes", to: graph.outputs)]
    let document = ModelDocument(
      tasks: [TaskDescription(kind: .classification(classes: ["cat\u{1b}[2J", "dog\n\u{202e}god"]))],
      heads: [Head(task: "class", layers: ["classes"], outputLayer: "classes")],
      picture: ModelDocument.Picture(height: 8, width: 8))
    let model = Model(graph: graph, weights: .generated(for: graph), document: document)
    try model.write(to: "\(place.path)/own.keras")
    try place.writePictures(count: 1)
    let outcome = try place.graft("predict", "own.keras", "pictures/red/picture0.bmp", "--top", "2")
    #expect(outcome.status == 0, "\(outcome)")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 1 && !outcome.output.contains("\u{1b}") && !outcome.output.contains("\u{202e}"), "\(lines)")
    #expect(outcome.output.contains(#"cat\u{1B}[2J"#) && outcome.output.contains(#"dog\n\u{202E}god"#), "\(lines)")
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
    "Nothing but an index and its own parts is opened for hostile weights in parts",
    .enabled(if: Trace.isPossible, "strace cannot trace here"),
    arguments: indices.map(\.file), [[], ["--trust"]])
  func opensNoOtherParts(file: String, options: [String]) throws {
    let sound = try Trace.opened(["inspect", fixture("keras/parts-3.weights.json").path] + options, in: place.path)
    let path = fixture("hostile/\(file)").path
    let hostile = try Trace.opened(["inspect", path] + options, in: place.path).subtracting(sound)
    let stem = path.prefix { $0 != "." }
    #expect(hostile.contains(path))
    #expect(
      hostile.allSatisfy { $0 == path || $0.hasPrefix("\(stem)_0000") && $0.hasSuffix(".weights.h5") }, "\(hostile)")
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
