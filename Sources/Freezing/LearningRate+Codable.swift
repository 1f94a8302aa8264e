extension LearningRate: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case constant
    case step
    case exponential
    case cosine
    case oneCycle
    case polynomial
    case reduceOnPlateau

    var options: [Option] {
      switch self {
      case .constant: []
      case .step: [.factor, .at]
      case .exponential: [.final]
      case .cosine: [.final, .period, .growth]
      case .oneCycle: [.start, .final]
      case .polynomial: [.power, .final]
      case .reduceOnPlateau: [.metric, .factor, .patience, .minimumDelta, .minimum]
      }
    }

    /// The warm-up of a rate that says nothing about it.
    var usualWarmUp: Double { self == .oneCycle ? 0.3 : 0 }
  }

  private enum Option: String, CodingKey {
    case peak
    case warmUp
    case at
    case factor
    case final
    case growth
    case metric
    case minimum
    case minimumDelta
    case patience
    case period
    case power
    case start
  }

  private var key: Key {
    switch shape {
    case .constant: .constant
    case .step: .step
    case .exponential: .exponential
    case .cosine: .cosine
    case .oneCycle: .oneCycle
    case .polynomial: .polynomial
    case .reduceOnPlateau: .reduceOnPlateau
    }
  }

  /// Reads a number, which is a constant rate, or `{cosine: {peak: 1e-3, warmUp: 0.1}}`.
  public init(from decoder: any Decoder) throws {
    if let value = try? decoder.singleValueContainer().decode(Double.self) {
      self = .constant(value)
      return
    }
    let (key, inner) = try decoder.singleKey(of: Key.self, in: "learningRate")
    let subject = "learningRate \(key.rawValue)"
    let values = try inner.strictContainer(of: [.peak, .warmUp] + key.options, in: subject)
    guard let peak = try values.decodeIfPresent(Double.self, forKey: .peak) else {
      throw ScheduleError(.invalidOption, subject: subject, detail: "has no peak")
    }
    let warmUp = try values.decode(.warmUp, or: key.usualWarmUp)
    self.init(peak: peak, warmUp: warmUp, shape: try Self.shape(key, values))
  }

  private static func shape(_ key: Key, _ values: KeyedDecodingContainer<Option>) throws -> Shape {
    switch key {
    case .constant: return .constant
    case .step: return .step(factor: try values.decode(.factor, or: 0.1), at: try values.decode(.at, or: [0.5, 0.75]))
    case .exponential: return .exponential(final: try values.decode(.final, or: 0.01))
    case .cosine:
      return .cosine(
        final: try values.decode(.final, or: 0), period: try values.decode(.period, or: 1),
        growth: try values.decode(.growth, or: 1))
    case .oneCycle:
      return .oneCycle(start: try values.decode(.start, or: 0.04), final: try values.decode(.final, or: 4e-6))
    case .polynomial:
      return .polynomial(power: try values.decode(.power, or: 1), final: try values.decode(.final, or: 0))
    case .reduceOnPlateau:
      let usual = RateReduction()
      return .reduceOnPlateau(
        RateReduction(
          metric: try values.decode(.metric, or: usual.metric), factor: try values.decode(.factor, or: usual.factor),
          patience: try values.decode(.patience, or: usual.patience),
          minimumDelta: try values.decode(.minimumDelta, or: usual.minimumDelta),
          minimum: try values.decode(.minimum, or: usual.minimum)))
    }
  }

  /// Writes a plain number where that says everything, or else the shape with all its options.
  public func encode(to encoder: any Encoder) throws {
    if shape == .constant, warmUp == 0 {
      var value = encoder.singleValueContainer()
      try value.encode(peak)
      return
    }
    var shapes = encoder.container(keyedBy: Key.self)
    var values = shapes.nestedContainer(keyedBy: Option.self, forKey: key)
    try values.encode(peak, forKey: .peak)
    if warmUp != key.usualWarmUp { try values.encode(warmUp, forKey: .warmUp) }
    switch shape {
    case .constant: break
    case .step(let factor, let places):
      try values.encode(factor, forKey: .factor)
      try values.encode(places, forKey: .at)
    case .exponential(let final): try values.encode(final, forKey: .final)
    case .cosine(let final, let period, let growth):
      if final != 0 { try values.encode(final, forKey: .final) }
      if period != 1 { try values.encode(period, forKey: .period) }
      if growth != 1 { try values.encode(growth, forKey: .growth) }
    case .oneCycle(let start, let final):
      if start != 0.04 { try values.encode(start, forKey: .start) }
      if final != 4e-6 { try values.encode(final, forKey: .final) }
    case .polynomial(let power, let final):
      try values.encode(power, forKey: .power)
      try values.encode(final, forKey: .final)
    case .reduceOnPlateau(let reduction):
      try values.encode(reduction.metric, forKey: .metric)
      try values.encode(reduction.factor, forKey: .factor)
      try values.encode(reduction.patience, forKey: .patience)
      try values.encode(reduction.minimumDelta, forKey: .minimumDelta)
      try values.encode(reduction.minimum, forKey: .minimum)
    }
  }
}
