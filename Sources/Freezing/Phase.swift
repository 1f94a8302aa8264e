/// A part of a run in which one set of parameters trains.
public struct Phase: Hashable, Sendable {
  /// What batch normalisation normalises by; whether its gamma and beta train is the selection's business.
  public enum BatchNormalizationMode: String, Hashable, Sendable, Codable, CaseIterable {
    /// The stored statistics, which stay as they are: what small data sets need.
    case frozenStatistics
    /// The statistics of the batch, which the stored ones follow, in all layers that have a trainable parameter.
    case trainingStatistics
    /// The stored statistics, while gamma and beta of every batch normalisation train, selected or not.
    case affineOnly
  }

  /// What becomes of what the optimizer has learnt about the phase's parameters in earlier phases.
  public enum OptimizerState: String, Hashable, Sendable, Codable, CaseIterable {
    /// Each parameter finds its own again.
    case keep
    /// The phase begins as if nothing had trained before.
    case reset
  }

  /// What a learning rate is measured in.
  public enum RateUnit: String, Hashable, Sendable, Codable, CaseIterable {
    /// The rule's own.
    case absolute
    /// One over 1 + the mean square length of what enters the part that trains, so that one number serves a linear head
    /// on any backbone. Nagumo and Noda, 1967.
    case featurePower
  }

  /// The name in progress and results.
  public var name: String
  /// What trains; everything else stays as it is, bit for bit.
  public var train: ParameterSelection
  /// Stages that train besides, chosen when the phase begins; nil for none.
  public var choose: StageChoice?
  /// The most passes over the training samples; at least 1, or nil where something else ends the phase.
  public var epochs: Int?
  /// The most steps of the optimizer; at least 1, or nil where something else ends the phase.
  public var steps: Int?
  /// What ends the phase early, whichever comes first.
  public var until: [Trigger]
  /// How long the phase may take; nil for as long as it needs.
  public var budget: TimeBudget?
  /// How fast to train at each of the phase's steps.
  public var learningRate: LearningRate
  /// What the rate is measured in.
  public var rateUnit: RateUnit
  /// How fast each parameter trains beside that; nil where all train alike.
  public var multipliers: RateMultipliers?
  /// The rule by which gradients change parameters.
  public var optimizer: OptimizerDescription
  /// Whether the optimizer remembers earlier phases.
  public var optimizerState: OptimizerState
  /// The bound on gradients; nil for none.
  public var clipping: GradientClipping?
  /// What batch normalisation normalises by.
  public var batchNormalization: BatchNormalizationMode
  /// Freezes stages that have settled while the phase goes on; nil for never.
  public var freezeSettled: SettledFreezing?
  /// Which weights go on after the phase; nil for those that the schedule says.
  public var restore: Schedule.Restore?

  /// The epochs of a phase of a file that does not say when it ends.
  public static let usualEpochs = 10
  /// The epochs after which a phase ends in any case.
  public static let mostEpochs = 1_000_000

  /// A phase; see `validate()` for what must hold.
  public init(
    name: String, train: ParameterSelection, choose: StageChoice? = nil, epochs: Int? = nil, steps: Int? = nil,
    until: Trigger..., budget: TimeBudget? = nil, learningRate: LearningRate, rateUnit: RateUnit = .absolute,
    multipliers: RateMultipliers? = nil,
    optimizer: OptimizerDescription = .adamW(), optimizerState: OptimizerState = .keep,
    clipping: GradientClipping? = nil, batchNormalization: BatchNormalizationMode = .frozenStatistics,
    freezeSettled: SettledFreezing? = nil, restore: Schedule.Restore? = nil
  ) {
    self.name = name
    self.train = train
    self.choose = choose
    self.epochs = epochs
    self.steps = steps
    self.until = until
    self.budget = budget
    self.learningRate = learningRate
    self.rateUnit = rateUnit
    self.multipliers = multipliers
    self.optimizer = optimizer
    self.optimizerState = optimizerState
    self.clipping = clipping
    self.batchNormalization = batchNormalization
    self.freezeSettled = freezeSettled
    self.restore = restore
  }

  /// The most steps that the phase can take, over which its rate is spread.
  public func stepCount(stepsPerEpoch: Int) -> Int {
    min((epochs ?? Self.mostEpochs) * stepsPerEpoch, steps ?? .max)
  }

  /// The most epochs that the phase can take; the last may be cut short by `steps`.
  public func epochCount(stepsPerEpoch: Int) -> Int {
    (stepCount(stepsPerEpoch: stepsPerEpoch) + stepsPerEpoch - 1) / stepsPerEpoch
  }
}

// MARK: - Checking

extension Phase {
  /// Checks that every number lies in its range, and that the phase ends.
  public func validate() throws(ScheduleError) {
    guard !name.isEmpty else { throw ScheduleError(.invalidOption, subject: "phase", detail: "has no name") }
    let subject = "phase \(name)"
    func invalid(_ detail: String) -> ScheduleError { ScheduleError(.invalidOption, subject: subject, detail: detail) }
    if let epochs, !(1...Self.mostEpochs).contains(epochs) {
      throw invalid("epochs must be at least 1\(epochs > 1 ? " and at most \(Self.mostEpochs)" : ""), but is \(epochs)")
    }
    if let steps, steps < 1 { throw invalid("steps must be at least 1, but is \(steps)") }
    guard epochs != nil || steps != nil || !until.isEmpty || budget != nil else {
      throw invalid("never ends: it has neither epochs nor steps, budget or until")
    }
    guard !learningRate.needsTotal || epochs != nil || steps != nil else {
      throw invalid("has a learningRate that is spread over the phase, and neither epochs nor steps")
    }
    guard train != .none || choose != nil || batchNormalization == .affineOnly else {
      throw ScheduleError(.emptySelection, subject: subject, detail: "trains nothing")
    }
    for trigger in until { try trigger.validate(in: subject) }
    try budget?.validate(in: subject)
    try choose?.validate(in: subject)
    try learningRate.validate(in: subject)
    try multipliers?.validate(in: subject)
    try optimizer.validate(in: subject)
    try clipping?.validate(in: subject)
    try freezeSettled?.validate(in: subject)
  }
}
