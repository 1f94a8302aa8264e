extension OptimizerDescription {
  /// The rules by name.
  enum Rule: String, CodingKey, CaseIterable {
    case sgd
    case adam
    case adamW
    case rmsprop
    case lion
    case lamb

    fileprivate var options: [Option] {
      switch self {
      case .sgd: [.momentum, .nesterov, .weightDecay]
      case .adam: [.beta1, .beta2, .epsilon]
      case .adamW, .lamb: [.beta1, .beta2, .epsilon, .weightDecay]
      case .rmsprop: [.rho, .momentum, .epsilon, .weightDecay]
      case .lion: [.beta1, .beta2, .weightDecay]
      }
    }
  }

  fileprivate enum Option: String, CodingKey {
    case learningRate
    case beta1
    case beta2
    case epsilon
    case momentum
    case nesterov
    case rho
    case weightDecay
  }

  /// The name of the rule.
  var rule: Rule {
    switch self {
    case .sgd: .sgd
    case .adam: .adam
    case .adamW: .adamW
    case .rmsprop: .rmsprop
    case .lion: .lion
    case .lamb: .lamb
    }
  }
}

extension OptimizerDescription: Codable {
  /// Reads a name, or a name with options: `adam`, `{adamW: {weightDecay: 1e-2}}`.
  public init(from decoder: any Decoder) throws { self = try Self.decode(from: decoder).optimizer }

  /// Reads a rule, and the constant learning rate that may stand among its options.
  static func decode(from decoder: any Decoder) throws -> (optimizer: OptimizerDescription, learningRate: Double?) {
    if let name = try? decoder.singleValueContainer().decode(String.self) {
      return (try OptimizerDescription(named: name), nil)
    }
    let (rule, inner) = try decoder.singleKey(of: Rule.self, in: "optimizer")
    let values = try inner.strictContainer(of: [.learningRate] + rule.options, in: "optimizer \(rule.rawValue)")
    return (try optimizer(rule, values), try values.decodeIfPresent(Double.self, forKey: .learningRate))
  }

  private static func optimizer(
    _ rule: Rule, _ values: KeyedDecodingContainer<Option>
  ) throws -> OptimizerDescription {
    func decay(or usual: Double) throws -> Double { try values.decode(.weightDecay, or: usual) }
    func moments() throws -> Moments {
      let usual = Moments()
      return Moments(
        beta1: try values.decode(.beta1, or: usual.beta1), beta2: try values.decode(.beta2, or: usual.beta2),
        epsilon: try values.decode(.epsilon, or: usual.epsilon))
    }
    switch rule {
    case .sgd:
      return .sgd(
        momentum: try values.decode(.momentum, or: 0.9), nesterov: try values.decode(.nesterov, or: false),
        weightDecay: try decay(or: 0))
    case .adam: return .adam(try moments())
    case .adamW: return .adamW(try moments(), weightDecay: try decay(or: 1e-2))
    case .rmsprop:
      let usual = RootMeanSquare()
      let mean = RootMeanSquare(
        rho: try values.decode(.rho, or: usual.rho), momentum: try values.decode(.momentum, or: usual.momentum),
        epsilon: try values.decode(.epsilon, or: usual.epsilon))
      return .rmsprop(mean, weightDecay: try decay(or: 0))
    case .lion:
      return .lion(
        beta1: try values.decode(.beta1, or: 0.9), beta2: try values.decode(.beta2, or: 0.99),
        weightDecay: try decay(or: 0))
    case .lamb: return .lamb(try moments(), weightDecay: try decay(or: 0))
    }
  }

  /// Writes the rule with all its options.
  public func encode(to encoder: any Encoder) throws {
    var rules = encoder.container(keyedBy: Rule.self)
    var values = rules.nestedContainer(keyedBy: Option.self, forKey: rule)
    switch self {
    case .sgd(let momentum, let nesterov, _):
      try values.encode(momentum, forKey: .momentum)
      try values.encode(nesterov, forKey: .nesterov)
    case .adam(let moments), .adamW(let moments, _), .lamb(let moments, _):
      try values.encode(moments.beta1, forKey: .beta1)
      try values.encode(moments.beta2, forKey: .beta2)
      try values.encode(moments.epsilon, forKey: .epsilon)
    case .rmsprop(let mean, _):
      try values.encode(mean.rho, forKey: .rho)
      try values.encode(mean.momentum, forKey: .momentum)
      try values.encode(mean.epsilon, forKey: .epsilon)
    case .lion(let beta1, let beta2, _):
      try values.encode(beta1, forKey: .beta1)
      try values.encode(beta2, forKey: .beta2)
    }
    if rule != .adam { try values.encode(weightDecay, forKey: .weightDecay) }
  }
}
