extension Schedule {
  /// The same schedule with some of its numbers replaced; what is nil stays.
  ///
  /// - Parameters:
  ///   - epochs: The most epochs of every phase.
  ///   - patience: The epochs without improvement after which a phase ends.
  ///   - learningRate: The peak of the first phase; the others keep their proportion to it. It is an absolute one: where
  ///     the schedule's own are of another unit, AdamW takes their place.
  ///   - optimizer: The rule of every phase; rates that are not given become those that it usually has.
  public func adjusted(
    epochs: Int? = nil, patience: Int? = nil, learningRate: Double? = nil, optimizer: OptimizerDescription? = nil
  ) throws(ScheduleError) -> Schedule {
    var result = self
    for index in result.phases.indices {
      guard let rule = optimizer ?? (learningRate != nil ? result.phases[index].absoluteRule : nil) else { continue }
      result.phases[index].train(by: rule)
    }
    let first = result.phases.first?.learningRate.peak ?? 1
    for index in result.phases.indices {
      if let epochs { result.phases[index].epochs = epochs }
      if let patience { result.phases[index].wait(patience) }
      if let learningRate {
        let rate = result.phases[index].learningRate
        result.phases[index].learningRate = rate.with(peak: rate.peak / first * learningRate)
      }
    }
    try result.validate()
    return result
  }
}

extension Phase {
  /// The rule that takes the place of the phase's own where its rate has to be absolute.
  fileprivate var absoluteRule: OptimizerDescription? { rateUnit == .absolute ? nil : .adamW() }

  /// Trains by another rule, at the rate that it usually has where the present one has the present rate.
  ///
  /// What the phase leaves is the schedule's choice then: the phase's own may hold for its rule only.
  fileprivate mutating func train(by rule: OptimizerDescription) {
    let before = rateUnit == .featurePower ? OptimizerDescription.usualRateByFeaturePower : optimizer.usualRate
    learningRate = learningRate.with(peak: learningRate.peak / before * rule.usualRate)
    rateUnit = .absolute
    optimizer = rule
    restore = nil
  }

  /// Gives every plateau that is waited for a patience; that of the validation loss, if there is none.
  ///
  /// Who waits for what is best wants it back.
  fileprivate mutating func wait(_ patience: Int) {
    var isWaiting = false
    until = until.map { trigger in
      guard case .plateau(let metric, _, let minimumDelta) = trigger else { return trigger }
      isWaiting = true
      return .plateau(metric, patience: patience, minimumDelta: minimumDelta)
    }
    if !isWaiting { until.append(.plateau(patience: patience)) }
    restore = nil
  }
}

extension OptimizerDescription {
  /// The rate at which plain gradient descent trains a linear head, by the power of its features.
  static let usualRateByFeaturePower = 2.0

  /// The rate that people begin with for a head.
  fileprivate var usualRate: Double {
    switch self {
    case .adam, .adamW, .rmsprop: 2e-3
    case .lion: 4e-4
    case .sgd, .lamb: 1e-2
    }
  }
}
