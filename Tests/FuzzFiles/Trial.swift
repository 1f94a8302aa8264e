import CFaults
import CSandbox
import Foundation
import Graphs
import KerasFormats

/// Reads inputs in children of this process, one after the other, and says how each child ended.
struct Trial {
  /// How a child may end.
  enum Ending: String, CaseIterable {
    /// Everything was read: the damage hit nothing that matters.
    case read
    /// An error with a sentence.
    case refused
    /// An error with a sentence about a reader that crashed or hung.
    case stopped
    /// In libhdf5, by a crash or a limit.
    case inside
    /// Anywhere else.
    case outside
  }

  private let mode: ReadingMode
  private let path: String
  private let fault: UnsafeMutablePointer<cfaults_fault>

  init(mode: ReadingMode) throws {
    self.mode = mode
    path = FileManager.default.temporaryDirectory.appendingPathComponent("graft-fuzz-\(getpid())").path
    guard let fault = cfaults_share() else { throw POSIXError(.ENOMEM) }
    self.fault = fault
  }

  /// Removes the file that the inputs stood in.
  func end() { unlink(path) }

  /// Puts an input where it is read.
  func attempt(on bytes: [UInt8], graph: Graph?) throws -> Attempt {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return Attempt(path: path, graph: graph, mode: mode)
  }

  /// What one input does to a child, and where, if it ended it.
  func run(_ bytes: [UInt8], graph: Graph?) throws -> (kind: Ending, place: String?) {
    let attempt = try attempt(on: bytes, graph: graph)
    return try run { attempt.run() }
  }

  /// What some work does to a child, and where, if it ended it.
  func run(_ work: () -> Attempt.Outcome) throws -> (kind: Ending, place: String?) {
    fault.initialize(to: cfaults_fault())
    let child = cfaults_fork()
    guard child >= 0 else { throw POSIXError(.EAGAIN) }
    if child == 0 {
      // A reader of its own has limits of its own, and its asker little to do.
      let memory = mode == .isolated ? 0 : 1 << 30
      guard cfaults_watch(fault, "libhdf5", 2, 20, memory) else { csandbox_exit(71) }
      switch work() {
      case .read: csandbox_exit(0)
      case .refused: csandbox_exit(10)
      case .stopped: csandbox_exit(11)
      }
    }
    let status = csandbox_wait(child)
    switch (csandbox_signal(status), csandbox_exit_status(status)) {
    case (0, 0): return (.read, nil)
    case (0, 10): return (.refused, nil)
    case (0, 11): return (.stopped, "by its reader")
    case (0, 70): return (fault.pointee.is_inside ? .inside : .outside, place)
    case (0, let status): return (.outside, "with status \(status)")
    case (let signal, _): return (.outside, "by \(Self.name(of: signal)), nobody knows where")
    }
  }

  private var place: String {
    func text<Characters>(_ characters: Characters) -> String {
      withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    let function = text(fault.pointee.function)
    let object = text(fault.pointee.object)
    let place = object.isEmpty ? "nobody knows where" : "in \(object)" + (function.isEmpty ? "" : ", \(function)")
    return "by \(Self.name(of: fault.pointee.signal)) \(place)"
  }

  private static func name(of signal: Int32) -> String {
    switch signal {
    case SIGPROF: "two seconds of processor time"
    case SIGALRM: "twenty seconds"
    default: String(cString: strsignal(signal)).lowercased()
    }
  }
}
