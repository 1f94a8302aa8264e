import Foundation
import Graft

/// Tells on standard error how training goes: a line for each epoch, and below them a bar where a person watches.
///
/// Unchecked: `lock` protects what changes; events come from the engine's thread.
final class TrainingProgress: @unchecked Sendable {
  private let isWatched: Bool
  private let lock = NSLock()
  private var phase: TrainingEvent.PhaseStart?
  private var hasBar = false
  private var lastDrawn = ContinuousClock.now - .seconds(1)

  /// Progress for a person, or for a log.
  init(isWatched: Bool) { self.isWatched = isWatched }

  /// Shows an event.
  func show(_ event: TrainingEvent) {
    lock.withLock {
      switch event {
      case .note(let text): line(text)
      case .phaseBegan(let start):
        phase = start
        line(
          "phase \(start.index + 1) of \(start.phaseCount), \(start.phase): \(start.trainableParameters.grouped) numbers "
            + "train" + (start.epochs.map { " for up to \($0) epochs" } ?? ""))
      case .phaseResumed(let start, let epoch):
        phase = start
        line("phase \(start.index + 1) of \(start.phaseCount), \(start.phase), goes on in its epoch \(epoch)")
      case .featuresCached(let count, let total):
        bar("computing the frozen part once", share: Double(count) / Double(max(total, 1)), "\(count) of \(total)")
      case .step(let report):
        let left = report.secondsLeft.map { ", at most \($0.asTime) left" } ?? ""
        bar(
          "epoch \(report.epoch)" + (phase?.epochs.map { " of \($0)" } ?? ""), share: share(report),
          "\(report.imagesPerSecond.formatted(digits: 0)) images/s" + left)
      case .epoch(let report): line(described(report))
      case .phaseEnded(let report):
        line(
          "phase \(report.name) took \(report.seconds.asTime) and \(report.epochs) epochs, ended by \(report.endedBy)")
      }
    }
  }

  private func described(_ report: TrainingEvent.EpochReport) -> String {
    let tasks = report.validation.sorted { $0.key < $1.key }.map { name, task in
      (report.validation.count == 1 ? "" : "\(name) ") + task.accuracy.asPercent
    }
    let validation = report.validationLoss.map {
      "validation \($0.formatted(digits: 3)) (\(tasks.joined(separator: ", "))), "
    }
    return "  epoch \(report.epoch): loss \(report.loss.formatted(digits: 3)), " + (validation ?? "")
      + "\(report.imagesPerSecond.formatted(digits: 0)) images/s" + (report.isBest ? ", best so far" : "")
  }

  /// The share of the phase that is done, as far as that can be said.
  private func share(_ report: TrainingEvent.StepReport) -> Double {
    guard let epochs = phase?.epochs, epochs > 0 else { return 0 }
    return Double(report.epoch) / Double(epochs)
  }

  private func line(_ text: String) {
    if hasBar { Console.overwrite("") }
    hasBar = false
    Console.note(text)
  }

  private func bar(_ title: String, share: Double, _ text: String) {
    guard isWatched, ContinuousClock.now - lastDrawn > .milliseconds(100) else { return }
    lastDrawn = .now
    hasBar = true
    let width = 24
    let filled = min(width, max(0, Int(share * Double(width))))
    let drawn = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
    Console.overwrite("\(title) [\(drawn)] \(text)")
  }
}
