import Graphs

/// The rule by which gradients change parameters, without the learning rate.
public enum OptimizerDescription: Hashable, Sendable {
  /// v ← momentum·v − rate·g; θ ← θ + v, or with Nesterov's look ahead θ ← θ + momentum·v − rate·g.
  case sgd(momentum: Double = 0.9, nesterov: Bool = false)
  /// θ ← θ − rate·m̂/(√v̂ + ε), with m and v the running means of g and g². Kingma and Ba, 2015.
  case adam(Moments = Moments())
  /// Adam, with θ ← θ − rate·weightDecay·θ before each step. Loshchilov and Hutter, 2019.
  case adamW(Moments = Moments(), weightDecay: Double = 1e-2)

  /// How Adam takes its running means; the defaults are Keras's.
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

  /// The rule of a name, with its defaults: `sgd`, `adam` or `adamW`; letter case does not count.
  ///
  /// - Throws: `ScheduleError.Code.unknownName`.
  public init(named name: String) throws(ScheduleError) {
    switch name.lowercased() {
    case "sgd": self = .sgd()
    case "adam": self = .adam()
    case "adamw": self = .adamW()
    default:
      throw ScheduleError(.unknownName, subject: "optimizer \(name)", detail: "expected sgd, adam or adamW")
    }
  }

  /// The rule's name in a schedule.
  public var name: String {
    switch self {
    case .sgd: "sgd"
    case .adam: "adam"
    case .adamW: "adamW"
    }
  }

  /// The share of a parameter that decays at each step, in units of the learning rate.
  ///
  /// Only kernels decay: pulling a bias or a normalisation towards zero does not make the function simpler.
  public func weightDecay(of parameter: Parameter) -> Double {
    switch (self, parameter.role) {
    case (.adamW(_, let weightDecay), .kernel): weightDecay
    default: 0
    }
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
    case .sgd(let momentum, _): try check("momentum", momentum, 0..<1)
    case .adam(let moments), .adamW(let moments, _):
      try check("beta1", moments.beta1, 0..<1)
      try check("beta2", moments.beta2, 0..<1)
      try check("epsilon", moments.epsilon, 0..<(.infinity))
    }
    if case .adamW(_, let weightDecay) = self { try check("weightDecay", weightDecay, 0..<(.infinity)) }
  }
}
