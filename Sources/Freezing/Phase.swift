/// A part of a run in which one set of parameters trains.
public struct Phase: Hashable, Sendable {
  /// What batch normalisation normalises by; whether its gamma and beta train is the selection's business.
  public enum BatchNormalizationMode: String, Hashable, Sendable, Codable {
    /// The stored statistics, which stay as they are: what small data sets need.
    case frozenStatistics
    /// The statistics of the batch, which the stored ones follow, in all layers that have a trainable parameter.
    case trainingStatistics
  }

  /// The name in progress and results.
  public var name: String
  /// What trains; everything else stays as it is, bit for bit.
  public var train: ParameterSelection
  /// The most passes over the training samples; at least 1.
  public var epochs: Int
  /// Ends the phase early; nil where all epochs are run.
  public var until: Plateau?
  /// How fast to train at each of the phase's steps.
  public var learningRate: LearningRate
  /// The rule by which gradients change parameters.
  public var optimizer: OptimizerDescription
  /// The bound on gradients; nil for none.
  public var clipping: GradientClipping?
  /// What batch normalisation normalises by.
  public var batchNormalization: BatchNormalizationMode

  /// A phase; see `validate()` for what must hold.
  public init(
    name: String, train: ParameterSelection, epochs: Int, until: Plateau? = nil, learningRate: LearningRate,
    optimizer: OptimizerDescription = .adamW(), clipping: GradientClipping? = nil,
    batchNormalization: BatchNormalizationMode = .frozenStatistics
  ) {
    self.name = name
    self.train = train
    self.epochs = epochs
    self.until = until
    self.learningRate = learningRate
    self.optimizer = optimizer
    self.clipping = clipping
    self.batchNormalization = batchNormalization
  }

  /// Checks that every number lies in its range.
  public func validate() throws(ScheduleError) {
    guard !name.isEmpty else { throw ScheduleError(.invalidOption, subject: "phase", detail: "has no name") }
    let subject = "phase \(name)"
    guard epochs > 0 else {
      throw ScheduleError(.invalidOption, subject: subject, detail: "epochs must be at least 1, but is \(epochs)")
    }
    guard train != .none else {
      throw ScheduleError(.emptySelection, subject: subject, detail: "trains nothing")
    }
    try until?.validate(in: subject)
    try learningRate.validate(in: subject)
    try optimizer.validate(in: subject)
    try clipping?.validate(in: subject)
  }
}

extension Phase: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case name
    case train
    case epochs
    case until
    case learningRate
    case optimizer
    case clipping
    case batchNormalization
  }

  /// Reads a phase; a constant learning rate may also stand among the optimizer's options.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self, in: "phase")
    name = try values.decode(String.self, forKey: .name)
    train = try values.decode(ParameterSelection.self, forKey: .train)
    epochs = try values.decode(Int.self, forKey: .epochs)
    until = try values.decodeIfPresent(Plateau.self, forKey: .until)
    var inner: Double?
    optimizer = .adamW()
    if values.contains(.optimizer) {
      (optimizer, inner) = try OptimizerDescription.decode(from: values.superDecoder(forKey: .optimizer))
    }
    switch (try values.decodeIfPresent(LearningRate.self, forKey: .learningRate), inner) {
    case (let rate?, nil): learningRate = rate
    case (nil, let rate?): learningRate = .constant(rate)
    case (nil, nil):
      throw ScheduleError(.invalidOption, subject: "phase \(name)", detail: "has no learningRate")
    case (_?, _?):
      throw ScheduleError(
        .invalidOption, subject: "phase \(name)", detail: "has a learningRate of its own and one in its optimizer")
    }
    clipping = try values.decodeIfPresent(GradientClipping.self, forKey: .clipping)
    batchNormalization =
      try values.decodeIfPresent(BatchNormalizationMode.self, forKey: .batchNormalization) ?? .frozenStatistics
  }
}
