import Foundation
import Testing

/// The program `graft`, run as a user runs it.
struct Program {
  /// What a run left.
  struct Outcome {
    let status: Int32
    let output: String
    let error: String

    /// The result as JSON.
    func json() throws -> Any { try JSONSerialization.jsonObject(with: Data(output.utf8), options: .fragmentsAllowed) }
  }

  /// Runs the program in a folder.
  ///
  /// - Parameter stdout: A file that takes standard output instead of the test.
  static func run(
    _ arguments: [String], in folder: String, environment: [String: String] = [:], stdout: String? = nil
  ) throws -> Outcome {
    try run(executable: path, arguments, in: folder, environment: environment, stdout: stdout)
  }

  /// Runs any program in a folder.
  static func run(
    executable: String, _ arguments: [String], in folder: String, environment: [String: String] = [:],
    stdout: String? = nil
  ) throws -> Outcome {
    try start(executable: executable, arguments, in: folder, environment: environment, stdout: stdout).outcome()
  }

  /// Starts the program in a folder, without waiting for it.
  static func start(_ arguments: [String], in folder: String) throws -> Running {
    try start(executable: path, arguments, in: folder, environment: [:], stdout: nil)
  }

  private static func start(
    executable: String, _ arguments: [String], in folder: String, environment: [String: String], stdout: String?
  ) throws -> Running {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    // No test meets what another has left in the user's caches.
    process.environment = ProcessInfo.processInfo.environment.merging(["XDG_CACHE_HOME": "/dev/null"]) { $1 }
      .merging(environment) { $1 }
    // Files instead of pipes: nothing has to be read while the program runs.
    let base = FileManager.default.temporaryDirectory.appendingPathComponent("graft-\(UUID().uuidString)").path
    let running = Running(
      process: process, outputPath: stdout ?? "\(base).out", errorPath: "\(base).err", keepsOutput: stdout != nil)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try writable(running.outputPath)
    process.standardError = try writable(running.errorPath)
    try process.run()
    return running
  }

  /// A program that runs.
  struct Running {
    fileprivate let process: Process
    fileprivate let outputPath: String
    fileprivate let errorPath: String
    fileprivate let keepsOutput: Bool

    /// Sends a signal.
    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Whether it has not ended yet.
    var isRunning: Bool { process.isRunning }

    /// Waits for the end.
    func outcome() throws -> Outcome {
      defer {
        if !keepsOutput { try? FileManager.default.removeItem(atPath: outputPath) }
        try? FileManager.default.removeItem(atPath: errorPath)
      }
      process.waitUntilExit()
      return Outcome(
        status: process.terminationStatus,
        output: keepsOutput ? "" : try String(contentsOfFile: outputPath, encoding: .utf8),
        error: try String(contentsOfFile: errorPath, encoding: .utf8))
    }
  }

  /// A file opened for writing, made where it is not there.
  private static func writable(_ path: String) throws -> FileHandle {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    try #require(descriptor >= 0, "\(path) cannot be opened")
    return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// The program lies beside the tests.
  static let path: String = {
    let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    return tests.appendingPathComponent("graft").path
  }()
}

extension Program.Outcome {
  /// Whether the work failed with one sentence that holds the given words, and nothing else was said.
  func failed(saying words: String...) -> Bool {
    let lines = error.split(separator: "\n")
    return status == 1 && output.isEmpty && lines.last?.hasPrefix("graft: ") == true
      && words.allSatisfy { lines.last?.contains($0) == true } && !error.contains("Fatal error")
  }
}
