import Dispatch
import Foundation
import Graft

/// Ctrl-C, or another process's wish that this one ends: the first finishes the step and keeps the run, the second ends
/// at once.
///
/// Unchecked: `lock` protects what changes.
final class Interruption: @unchecked Sendable {
  private static let signals = [(SIGINT, ExitStatus.interrupted), (SIGTERM, .terminated)]

  private let lock = NSLock()
  private var sources: [any DispatchSourceSignal] = []
  private var status: ExitStatus?
  private var stop: () -> Void = {}

  /// Trains so that it can be interrupted.
  ///
  /// Before the first phase there is nothing to keep, and an interruption ends the process at once, as usual.
  ///
  /// - Parameters:
  ///   - folder: The run's folder.
  ///   - progress: Shows what happens.
  ///   - body: Trains; gets what it has to tell of everything that happens.
  static func mayStop(
    _ folder: String, progress: TrainingProgress,
    _ body: @escaping @Sendable (_ handler: @escaping @Sendable (TrainingEvent) -> Void) async throws -> FineTunedModel
  ) async throws -> FineTunedModel {
    let interruption = Interruption()
    let work = Task {
      try await body { event in
        progress.show(event)
        switch event {
        case .phaseBegan, .phaseResumed: interruption.watch()
        default: break
        }
      }
    }
    interruption.lock.withLock { interruption.stop = { work.cancel() } }
    do {
      return try await work.value
    } catch let error as CancellationError {
      guard let status = interruption.lock.withLock({ interruption.status }) else { throw error }
      throw CommandFailure(
        "stopped and kept; this goes on with it: graft train --resume \(folder.quotedForShell)", status: status)
    }
  }

  private func watch() {
    lock.withLock {
      guard sources.isEmpty else { return }
      sources = Self.signals.map { number, status in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler { [weak self] in self?.arrived(status) }
        source.resume()
        return source
      }
    }
  }

  private func arrived(_ status: ExitStatus) {
    // The next one is the system's business.
    for (number, _) in Self.signals { signal(number, SIG_DFL) }
    lock.withLock {
      self.status = status
      stop()
    }
    Console.note("finishing the step; once more ends at once")
  }
}

extension String {
  /// The text as a shell reads it back.
  fileprivate var quotedForShell: String {
    let isPlain = allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+=@%:,".contains($0)) }
    return isPlain && !isEmpty ? self : "'\(replacing("'", with: "'\\''"))'"
  }
}
