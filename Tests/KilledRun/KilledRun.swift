import Engine
import Foundation
import Synchronization
import TinyRuns
import Training

/// Trains the tiny network in a folder, from wherever the run in that folder stands, and is killed at a given instant.
///
///     KilledRun FOLDER SEED [INSTANT]
///
/// Instants are counted between any two changes of the run and its folder: steps, epochs, phases, pictures that are
/// cached, and every stage of every file that is written. A run that comes to its end prints how many there were.
@main
struct KilledRun {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 3, let seed = UInt64(arguments[2]) else { exit(2) }
    let last = arguments.count > 3 ? Int(arguments[3]) ?? 0 : Int.max
    let drawn = DrawnRun(seed: seed)
    var folder: RunFolder
    var configuration = drawn.configuration
    // A network this small is no faster on two, and many of these run beside each other.
    configuration.options.threads = 1
    let isResumed = FileManager.default.fileExists(atPath: "\(arguments[1])/run.yaml")
    if isResumed {
      folder = try RunFolder(resuming: arguments[1])
      folder.removeLeftovers()
      configuration = try RunConfiguration(contentsOf: folder[.configuration])
    } else {
      folder = try RunFolder(at: arguments[1])
    }
    let counter = InstantCounter(last: last)
    folder.instant = { _ in counter.count() }
    let run = FineTuningRun(configuration, model: try drawn.model(), data: try drawn.tiny.data, folder: folder)
    _ = try await EngineActor.run { () throws in try run.run(resuming: isResumed) }
    print(counter.value)
  }
}

private final class InstantCounter: Sendable {
  private let passed = Mutex(0)
  private let last: Int

  init(last: Int) { self.last = last }

  var value: Int { passed.withLock { $0 } }

  func count() {
    let number = passed.withLock { passed in
      passed += 1
      return passed
    }
    if number >= last { kill(getpid(), SIGKILL) }
  }
}
