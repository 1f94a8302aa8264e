import Freezing
import Tasks

extension Metric {
  /// The metric's value among what was measured of all tasks; NaN for a task that there is not, which no run begins with.
  ///
  /// - Parameter loss: J, the loss over all tasks.
  func value(of measured: [MetricAccumulator], loss: Double) -> Double {
    let chosen = task.map { name in measured.filter { $0.task.name == name } } ?? measured
    guard !chosen.isEmpty else { return .nan }
    switch quantity {
    case .loss: return task == nil ? loss : chosen[0].loss.mean
    case .accuracy: return chosen.reduce(0) { $0 + $1.confusion.accuracy } / Double(chosen.count)
    }
  }
}
