import Freezing

/// Waits for improvement, for as many epochs as a plateau allows.
package struct Patience: Hashable, Sendable, Codable {
  private var best = Double.infinity
  /// How many epochs have brought none.
  private(set) var waitedCount = 0

  /// Whether there was no improvement for too long; never without a plateau.
  func isExhausted(by plateau: Plateau?) -> Bool { plateau.map { waitedCount >= $0.patience } ?? false }

  /// Takes note of an epoch.
  mutating func note(_ value: Double, for plateau: Plateau?) {
    guard let plateau else { return }
    if plateau.isImprovement(value, over: best) {
      best = value
      waitedCount = 0
    } else {
      waitedCount += 1
    }
  }
}
