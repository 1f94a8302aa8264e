import Graphs

/// The rule by which gradients change parameters, without the learning rate.
///
/// Every rule may let kernels decay before each step: θ ← θ − rate·weightDecay·θ, apart from the gradient. Loshchilov and
/// Hutter, 2019. The defaults are Keras's, but for SGD's momentum.
public enum OptimizerDescription: Hashable, Sendable {
  /// v ← momentum·v − rate·g; θ ← θ + v, or with Nesterov's look ahead θ ← θ + momentum·v − rate·g.
  case sgd(momentum: Double = 0.9, nesterov: Bool = false, weightDecay: Double = 0)
  /// θ ← θ − rate·m̂/(√v̂ + ε), with m and v the running means of g and g². Kingma and Ba, 2015.
  case adam(Moments = Moments())
  /// Adam whose kernels decay. Loshchilov and Hutter, 2019.
  case adamW(Moments = Moments(), weightDecay: Double = 1e-2)
  /// u ← momentum·u + rate·g/√(v + ε); θ ← θ − u, with v the running mean of g². Hinton, 2012.
  case rmsprop(RootMeanSquare = RootMeanSquare(), weightDecay: Double = 0)
  /// θ ← θ − rate·sign(β₁·m + (1 − β₁)·g); m ← β₂·m + (1 − β₂)·g. Chen et al., 2023: a third to a tenth of Adam's rate.
  case lion(beta1: Double = 0.9, beta2: Double = 0.99, weightDecay: Double = 0)
  /// θ ← θ − rate·(‖θ‖/‖u‖)·u for each parameter, with Adam's u = m̂/(√v̂ + ε). You et al., 2020; as in Keras the decay
  /// stands outside of u.
  case lamb(Moments = Moments(), weightDecay: Double = 0)

  /// How Adam and LAMB take their running means.
  public struct Moments: Hashable, Sendable {
    /// How much of the mean of gradients remains at each step.
    public var beta1: Double
    /// How much of the mean of squares remains at each step.
    public var beta2: Double
    /// Added to the root so that it can be divided by.
    public var epsilon: Double

    /// Running means.
    public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7) {
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
    }
  }

  /// How RMSprop takes its running mean, and how far a step goes on.
  public struct RootMeanSquare: Hashable, Sendable {
    /// How much of the mean of squares remains at each step.
    public var rho: Double
    /// How much of the step before is taken again.
    public var momentum: Double
    /// Added to the mean before its root is taken.
    public var epsilon: Double

    /// A running mean.
    public init(rho: Double = 0.9, momentum: Double = 0, epsilon: Double = 1e-7) {
      self.rho = rho
      self.momentum = momentum
      self.epsilon = epsilon
    }
  }

  /// The names of all rules, as a schedule writes them.
  public static let names = Rule.allCases.map(\.rawValue)

  /// The rule of a name, with its defaults; letter case does not count.
  ///
  /// - Throws: `ScheduleError.Code.unknownName`.
  public init(named name: String) throws(ScheduleError) {
    switch Rule.allCases.first(where: { $0.rawValue.lowercased() == name.lowercased() }) {
    case .sgd: self = .sgd()
    case .adam: self = .adam()
    case .adamW: self = .adamW()
    case .rmsprop: self = .rmsprop()
    case .lion: self = .lion()
    case .lamb: self = .lamb()
    case nil:
      throw ScheduleError(
        .unknownName, subject: "optimizer \(name)", detail: "expected \(Self.names.joined(separator: ", "))")
    }
  }

  /// The rule's name in a schedule.
  public var name: String { rule.rawValue }

  /// The share of kernels that decays at each step, in units of the learning rate.
  public var weightDecay: Double {
    switch self {
    case .adam: 0
    case .sgd(_, _, let decay), .adamW(_, let decay), .rmsprop(_, let decay), .lion(_, _, let decay),
      .lamb(_, let decay):
      decay
    }
  }

  /// The share of a parameter that decays at each step, in units of the learning rate.
  ///
  /// Only kernels decay: pulling a bias or a normalisation towards zero does not make the function simpler.
  public func weightDecay(of parameter: Parameter) -> Double {
    if case .kernel = parameter.role { weightDecay } else { 0 }
  }

  /// Checks that every number lies in its range.
  func validate(in subject: String) throws(ScheduleError) {
    func check(_ name: String, _ value: Double, _ range: Range<Double>) throws(ScheduleError) {
      guard range.contains(value) else {
        let expected = range.upperBound < .infinity ? "0 or more and below 1" : "0 or more"
        throw ScheduleError(.invalidOption, subject: subject, detail: "\(name) must be \(expected), but is \(value)")
      }
    }
    switch self {
    case .sgd(let momentum, _, _): try check("momentum", momentum, 0..<1)
    case .adam(let moments), .adamW(let moments, _), .lamb(let moments, _):
      try check("beta1", moments.beta1, 0..<1)
      try check("beta2", moments.beta2, 0..<1)
      try check("epsilon", moments.epsilon, 0..<(.infinity))
    case .rmsprop(let mean, _):
      try check("rho", mean.rho, 0..<1)
      try check("momentum", mean.momentum, 0..<1)
      try check("epsilon", mean.epsilon, 0..<(.infinity))
    case .lion(let beta1, let beta2, _):
      try check("beta1", beta1, 0..<1)
      try check("beta2", beta2, 0..<1)
    }
    try check("weightDecay", weightDecay, 0..<(.infinity))
  }
}
