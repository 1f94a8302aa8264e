/// Which parameters train when, how fast, and until what happens: the plan of a whole run, as a value.
public struct Schedule: Hashable, Sendable {
  /// Which weights go on after a phase, and into the finished model after the last.
  public enum Restore: String, Hashable, Sendable, Codable, CaseIterable {
    /// Those with the best validation loss in this phase or any before it, so that no phase can make things worse.
    case bestSoFar
    /// Those with the best validation loss in this phase.
    case bestOfPhase
    /// Those of the last step.
    case last
  }

  /// What is added to the loss of everything that trains.
  public struct Regularization: Hashable, Sendable {
    /// α of the term α/2·‖θ − θ⁰‖² over the trunk, whose pretrained values are θ⁰.
    ///
    /// L2-SP, Li et al., 2018.
    public var towardsPretrained: Double

    /// A pull towards the pretrained weights.
    public init(towardsPretrained: Double) { self.towardsPretrained = towardsPretrained }
  }

  /// Which weights are evaluated and kept in place of those that train: their mean over the last steps.
  public enum Average: Hashable, Sendable {
    /// θ̄ ← d·θ̄ + (1 − d)·θ at every step. Polyak and Juditsky, 1992.
    case exponential(Double)

    /// d at a step counted from 1: lower at first, so that a short run is not averaged with where it began.
    ///
    /// After t steps it is at most (1 + t)/(10 + t), as TensorFlow does it.
    public func decay(atStep step: Int) -> Double {
      switch self {
      case .exponential(let decay): min(decay, Double(1 + step) / Double(10 + step))
      }
    }
  }

  /// The phases in order; at least one.
  public var phases: [Phase]
  /// Which weights go on after a phase.
  public var restore: Restore
  /// What is added to the loss; nil for nothing.
  public var regularization: Regularization?
  /// The mean of weights that is evaluated in place of those that train; nil for none.
  public var average: Average?
  /// How long all phases together may take; nil for as long as they need.
  public var budget: TimeBudget?
  /// Whether all phases run once more from the pretrained weights on, on training and validation samples together.
  ///
  /// What the validation samples are for is decided by then: each phase takes as many epochs as led to the
  /// weights that it left.
  public var refit: Bool

  /// A schedule; see `validate()` for what must hold.
  public init(
    phases: [Phase], restore: Restore = .bestSoFar, regularization: Regularization? = nil, average: Average? = nil,
    budget: TimeBudget? = nil, refit: Bool = false
  ) {
    self.phases = phases
    self.restore = restore
    self.regularization = regularization
    self.average = average
    self.budget = budget
    self.refit = refit
  }

  /// The phases as they run: those of ``phases``, and after them those that fit again, under names of their own.
  public var allPhases: [Phase] {
    guard refit else { return phases }
    var all = phases
    for var phase in phases {
      phase.name = "refit \(phase.name)"
      while all.contains(where: { $0.name == phase.name }) { phase.name += "'" }
      phase.until = []
      phase.budget = nil
      all.append(phase)
    }
    return all
  }

  /// Checks every phase, that there is at least one, and that no two share a name.
  public func validate() throws(ScheduleError) {
    guard !phases.isEmpty else { throw ScheduleError(.invalidOption, subject: "schedule", detail: "has no phases") }
    var seen: Set<String> = []
    for phase in phases {
      try phase.validate()
      guard seen.insert(phase.name).inserted else {
        throw ScheduleError(.invalidOption, subject: "phase \(phase.name)", detail: "two phases have this name")
      }
    }
    if let strength = regularization?.towardsPretrained, !(strength.isFinite && strength >= 0) {
      throw ScheduleError(
        .invalidOption, subject: "regularization", detail: "towardsPretrained must be 0 or more, but is \(strength)")
    }
    if case .exponential(let decay) = average, !(decay >= 0 && decay < 1) {
      throw ScheduleError(
        .invalidOption, subject: "average", detail: "exponential must be 0 or more and below 1, but is \(decay)")
    }
    try budget?.validate(in: "schedule")
    guard refit else { return }
    guard budget == nil else {
      throw ScheduleError(
        .invalidOption, subject: "schedule", detail: "has a budget, which refit cannot keep to: leave out one of them")
    }
    for phase in phases {
      if case .reduceOnPlateau = phase.learningRate.shape {
        throw ScheduleError(
          .invalidOption, subject: "phase \(phase.name)",
          detail: "waits for plateaus with its learningRate, and refit has no validation samples to see them")
      }
    }
  }
}
