extension OptimizerDescription: Codable {
  private enum Rule: String, CodingKey, CaseIterable {
    case sgd
    case adam
    case adamW
  }

  private enum SGDOption: String, CodingKey, CaseIterable {
    case learningRate
    case momentum
    case nesterov
  }

  private enum AdamOption: String, CodingKey, CaseIterable {
    case learningRate
    case beta1
    case beta2
    case epsilon
  }

  private enum AdamWOption: String, CodingKey, CaseIterable {
    case learningRate
    case beta1
    case beta2
    case epsilon
    case weightDecay
  }

  /// Reads a name, or a name with options: `adam`, `{adamW: {weightDecay: 1e-2}}`.
  public init(from decoder: any Decoder) throws { self = try Self.decode(from: decoder).optimizer }

  /// Reads a rule, and the constant learning rate that may stand among its options.
  static func decode(from decoder: any Decoder) throws -> (optimizer: OptimizerDescription, learningRate: Double?) {
    if let name = try? decoder.singleValueContainer().decode(String.self) {
      return (try OptimizerDescription(named: name), nil)
    }
    let (rule, inner) = try decoder.singleKey(of: Rule.self, in: "optimizer")
    let defaults = Moments()
    switch rule {
    case .sgd:
      let options = try inner.strictContainer(keyedBy: SGDOption.self, in: "optimizer sgd")
      let momentum = try options.decodeIfPresent(Double.self, forKey: .momentum) ?? 0.9
      let nesterov = try options.decodeIfPresent(Bool.self, forKey: .nesterov) ?? false
      let rate = try options.decodeIfPresent(Double.self, forKey: .learningRate)
      return (.sgd(momentum: momentum, nesterov: nesterov), rate)
    case .adam:
      let options = try inner.strictContainer(keyedBy: AdamOption.self, in: "optimizer adam")
      let moments = Moments(
        beta1: try options.decodeIfPresent(Double.self, forKey: .beta1) ?? defaults.beta1,
        beta2: try options.decodeIfPresent(Double.self, forKey: .beta2) ?? defaults.beta2,
        epsilon: try options.decodeIfPresent(Double.self, forKey: .epsilon) ?? defaults.epsilon)
      return (.adam(moments), try options.decodeIfPresent(Double.self, forKey: .learningRate))
    case .adamW:
      let options = try inner.strictContainer(keyedBy: AdamWOption.self, in: "optimizer adamW")
      let moments = Moments(
        beta1: try options.decodeIfPresent(Double.self, forKey: .beta1) ?? defaults.beta1,
        beta2: try options.decodeIfPresent(Double.self, forKey: .beta2) ?? defaults.beta2,
        epsilon: try options.decodeIfPresent(Double.self, forKey: .epsilon) ?? defaults.epsilon)
      let weightDecay = try options.decodeIfPresent(Double.self, forKey: .weightDecay) ?? 1e-2
      let rate = try options.decodeIfPresent(Double.self, forKey: .learningRate)
      return (.adamW(moments, weightDecay: weightDecay), rate)
    }
  }

  /// Writes the rule with all its options.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Rule.self)
    switch self {
    case .sgd(let momentum, let nesterov):
      var options = values.nestedContainer(keyedBy: SGDOption.self, forKey: .sgd)
      try options.encode(momentum, forKey: .momentum)
      try options.encode(nesterov, forKey: .nesterov)
    case .adam(let moments):
      var options = values.nestedContainer(keyedBy: AdamOption.self, forKey: .adam)
      try options.encode(moments.beta1, forKey: .beta1)
      try options.encode(moments.beta2, forKey: .beta2)
      try options.encode(moments.epsilon, forKey: .epsilon)
    case .adamW(let moments, let weightDecay):
      var options = values.nestedContainer(keyedBy: AdamWOption.self, forKey: .adamW)
      try options.encode(moments.beta1, forKey: .beta1)
      try options.encode(moments.beta2, forKey: .beta2)
      try options.encode(moments.epsilon, forKey: .epsilon)
      try options.encode(weightDecay, forKey: .weightDecay)
    }
  }
}
