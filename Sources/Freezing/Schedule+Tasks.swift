extension Schedule {
  /// Checks that every metric that a phase waits for is measured of a task that is learnt.
  ///
  /// - Parameter tasks: The names of the tasks.
  /// - Throws: `ScheduleError` with code `unknownName` naming the phase, the metric and the tasks that there are.
  public func check(tasks: [String]) throws(ScheduleError) {
    for phase in phases {
      for metric in phase.metrics {
        guard let task = metric.task, !tasks.contains(task) else { continue }
        throw ScheduleError(
          .unknownName, subject: "phase \(phase.name)",
          detail: "waits for \(metric), but there is no task \(task); the tasks are "
            + tasks.joined(separator: ", "))
      }
    }
  }
}

extension Phase {
  /// Everything measured on the validation samples that the phase waits for.
  fileprivate var metrics: [Metric] {
    guard case .reduceOnPlateau(let reduction) = learningRate.shape else { return until.map(\.metric) }
    return until.map(\.metric) + [reduction.metric]
  }
}
