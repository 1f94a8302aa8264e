import CFaults
import CSandbox
import Foundation
import Graphs
import KerasFormats

/// Feeds damaged copies of sound files to the reader.
///
/// `FuzzFiles MODE SEED FIRST COUNT FOLDER...`
///
/// Input number n of a seed is always the same, and is read in a child of this process under limits of time and memory. An
/// input that ends its child is told in a line: its number, `inside` where the child was in libhdf5 and `outside` where it
/// was anywhere else, the signal, and the place. The last line counts; the status is 1 where anything fell outside.
/// `keep` instead of a mode writes the inputs to standard output.
///
/// `FuzzFiles measure FILE PROGRAM ARGUMENT...` runs a program, ends as it ends, and writes the seconds and bytes that it
/// took to a file. A large process cannot measure that itself: what it starts inherits its own peak.
@main
struct FuzzFiles {
  static func main() throws {
    let words = CommandLine.arguments
    if words.count > 3, words[1] == "measure" { try measure(Array(words[3...]), to: words[2]) }
    if words.count == 3, words[1] == "attack", let attack = Attack(rawValue: words[2]) { attack.run() }
    if words.count == 3, words[1] == "fall", let fall = Fall(rawValue: words[2]) {
      let ending = try Trial(mode: .inProcess).run(fall.run)
      return say("\(ending.kind.rawValue) \(ending.place ?? "")")
    }
    guard words.count > 5, let seed = UInt64(words[2]), let first = Int(words[3]), let count = Int(words[4]),
      ["in-process", "isolated", "keep"].contains(words[1])
    else {
      FileHandle.standardError.write(
        Data("usage: FuzzFiles in-process|isolated|keep SEED FIRST COUNT FOLDER...\n".utf8))
      exit(2)
    }
    let corpus = try Corpus(folders: Array(words[5...]))
    let inputs = (first..<first + count).lazy.map { corpus.input($0, seed: seed) }
    guard words[1] != "keep" else {
      for input in inputs { FileHandle.standardOutput.write(Data(input.bytes)) }
      return
    }
    let trial = try Trial(mode: words[1] == "isolated" ? .isolated : .inProcess)
    defer { trial.end() }
    // What is set up once is set up here and not in every child.
    if let file = corpus.files.first { _ = try trial.attempt(on: file.bytes, graph: nil).run() }
    var counts: [Trial.Ending: Int] = [:]
    for (number, input) in zip(first..., inputs) {
      let ending = try trial.run(input.bytes, graph: input.graph)
      counts[ending.kind, default: 0] += 1
      if let place = ending.place { say("\(number) \(ending.kind.rawValue) \(place) on \(input.name)") }
    }
    say(Trial.Ending.allCases.map { "\($0.rawValue) \(counts[$0] ?? 0)" }.joined(separator: " "))
    if counts[.outside] != nil { exit(1) }
  }
}

/// Runs a program with this process's standard input and output.
private func measure(_ words: [String], to report: String) throws -> Never {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: words[0])
  process.arguments = Array(words[1...])
  try process.run()
  process.waitUntilExit()
  var usage = rusage()
  // RUSAGE_CHILDREN, which C libraries import as values of different types.
  getrusage(.init(-1), &usage)
  let seconds = [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) * 1e-6 }
  #if canImport(Darwin)
    let bytes = usage.ru_maxrss
  #else
    let bytes = usage.ru_maxrss << 10
  #endif
  try Data("\(seconds) \(bytes)".utf8).write(to: URL(fileURLWithPath: report))
  exit(process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus)
}

/// Writes a line at once: what is still in a buffer is lost in a crash.
private func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

/// The sound files that damaged ones are made of.
private struct Corpus {
  struct File {
    var name: String
    var bytes: [UInt8]
    var graph: Graph?
  }

  var files: [File] = []

  init(folders: [String]) throws {
    for folder in folders {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      for name in names where name.hasSuffix(".h5") || name.hasSuffix(".keras") {
        let url = URL(fileURLWithPath: folder).appendingPathComponent(name)
        var file = File(name: name, bytes: [UInt8](try Data(contentsOf: url)))
        guard !file.bytes.isEmpty else { continue }
        // Weights alone fit the network of the whole model that was saved beside them.
        let whole = name.prefix { $0 != "." } + ".h5"
        if name.hasSuffix(".weights.h5") || name.hasSuffix(".legacy.h5"), names.contains(String(whole)) {
          file.graph = try? KerasFiles.readArchitecture("\(folder)/\(whole)").graph
        }
        files.append(file)
      }
    }
  }

  /// A damaged copy of one of the files.
  func input(_ number: Int, seed: UInt64) -> File {
    var numbers = SeededNumbers(seed: seed, input: number)
    var file = files[Int.random(in: 0..<files.count, using: &numbers)]
    file.bytes = Mutation.damaged(file.bytes, others: files.map(\.bytes), by: &numbers)
    return file
  }
}
