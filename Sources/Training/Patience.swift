import Freezing

/// Waits for improvement, for as many epochs as a plateau allows.
struct Patience: Sendable {
  private let plateau: Plateau?
  private var best = Double.infinity
  private var waitedCount = 0

  /// Patience without end where there is no plateau.
  init(_ plateau: Plateau?) { self.plateau = plateau }

  /// Whether there was no improvement for too long.
  var isExhausted: Bool { plateau.map { waitedCount >= $0.patience } ?? false }

  /// Takes note of an epoch.
  mutating func note(_ value: Double) {
    guard let plateau else { return }
    if plateau.isImprovement(value, over: best) {
      best = value
      waitedCount = 0
    } else {
      waitedCount += 1
    }
  }
}
