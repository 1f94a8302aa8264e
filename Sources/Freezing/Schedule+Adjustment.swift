extension Schedule {
  /// The same schedule with some of its numbers replaced; what is nil stays.
  ///
  /// - Parameters:
  ///   - epochs: The most epochs of every phase.
  ///   - patience: The epochs without improvement after which a phase ends.
  ///   - learningRate: The peak of the first phase; the others keep their proportion to it.
  ///   - optimizer: The rule of every phase.
  public func adjusted(
    epochs: Int? = nil, patience: Int? = nil, learningRate: Double? = nil, optimizer: OptimizerDescription? = nil
  ) throws(ScheduleError) -> Schedule {
    var result = self
    let first = phases.first?.learningRate.peak ?? 1
    for index in result.phases.indices {
      if let epochs { result.phases[index].epochs = epochs }
      if let patience { result.phases[index].wait(patience) }
      if let learningRate {
        let rate = phases[index].learningRate
        result.phases[index].learningRate = rate.with(peak: rate.peak / first * learningRate)
      }
      if let optimizer { result.phases[index].optimizer = optimizer }
    }
    try result.validate()
    return result
  }
}

extension Phase {
  /// Gives every plateau that is waited for a patience; that of the validation loss, if there is none.
  fileprivate mutating func wait(_ patience: Int) {
    var isWaiting = false
    until = until.map { trigger in
      guard case .plateau(let metric, _, let minimumDelta) = trigger else { return trigger }
      isWaiting = true
      return .plateau(metric, patience: patience, minimumDelta: minimumDelta)
    }
    if !isWaiting { until.append(.plateau(patience: patience)) }
  }
}
