import Freezing

/// Waits for what may end a phase early.
struct Patience: Sendable {
  /// What has ended the phase; nil as long as it goes on.
  private(set) var ending: Trigger?
  private let triggers: [Trigger]
  private var watches: [MetricWatch]

  /// Patience without end where there is no trigger.
  init(_ triggers: [Trigger]) {
    self.triggers = triggers
    watches = triggers.map { _ in MetricWatch() }
  }

  /// Whether the phase ends.
  var isExhausted: Bool { ending != nil }

  /// Takes note of an epoch.
  mutating func note(_ value: (Metric) -> Double) {
    for (index, trigger) in triggers.enumerated() {
      let isOver = trigger.note(value(trigger.metric), in: &watches[index])
      if isOver, ending == nil { ending = trigger }
    }
  }
}
