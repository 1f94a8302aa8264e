import CKernels
import Foundation

/// Where all computing happens: one thread of its own, whatever thread asks.
///
/// OpenMP keeps a team of workers for each thread that calls it. Tasks that hop over Swift's shared threads would breed
/// one team each, and the teams would fight for the cores; so everything that touches oneDNN is isolated to this actor.
/// Its thread lets those of its own team compute parts of a batch beside it, and waits for them.
@globalActor public actor EngineActor {
  /// The only one.
  public static let shared = EngineActor()

  private nonisolated let thread = EngineThread()

  /// Runs this actor's jobs on its thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  /// Runs a closure on the engine's thread.
  public static func run<Result: Sendable, Failure: Error>(
    _ body: @EngineActor @Sendable () throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    try await body()
  }
}

/// A thread that runs jobs one after another in the order in which they came.
///
/// Unchecked: `jobs` is touched only under `condition`.
private final class EngineThread: SerialExecutor, @unchecked Sendable {
  private let condition = NSCondition()
  private var jobs: [UnownedJob] = []

  init() {
    let thread = Thread { [self] in work() }
    thread.name = "graft-engine"
    thread.stackSize = 8 << 20
    thread.start()
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    condition.lock()
    jobs.append(job)
    condition.signal()
    condition.unlock()
  }

  func checkIsolated() {
    precondition(graft_is_in_lane(), "whoever computes is the engine's thread or works for it")
  }

  private func work() {
    while true {
      condition.lock()
      while jobs.isEmpty { condition.wait() }
      let ready = jobs
      jobs.removeAll(keepingCapacity: true)
      condition.unlock()
      for job in ready { job.runSynchronously(on: asUnownedSerialExecutor()) }
    }
  }
}
