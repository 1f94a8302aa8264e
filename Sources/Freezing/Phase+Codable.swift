extension Phase: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case name
    case train
    case choose
    case epochs
    case steps
    case until
    case budget
    case learningRate
    case rateUnit
    case multipliers
    case optimizer
    case optimizerState
    case clipping
    case batchNormalization
    case freezeSettled
    case restore
  }

  /// Reads a phase.
  ///
  /// A constant learning rate may also stand among the optimizer's options, and `until` may be one trigger or a list. A
  /// phase that says nothing about its end has ten epochs.
  ///
  /// - Throws: `ScheduleError` naming the phase.
  public init(from decoder: any Decoder) throws {
    let subject = Self.subject(of: decoder)
    do {
      self = try Phase(optionsOf: decoder, subject: subject)
    } catch let error as ScheduleError {
      throw error.subject == subject ? error : error.inside(subject)
    } catch let error as DecodingError {
      throw ScheduleError(
        .invalidOption, subject: subject, detail: error.sentence(below: decoder.codingPath.count))
    }
  }

  /// What messages call a phase: its name, or its place in the list where it has none.
  private static func subject(of decoder: any Decoder) -> String {
    let values = try? decoder.container(keyedBy: CodingKeys.self)
    if let name = try? values?.decodeIfPresent(String.self, forKey: .name), !name.isEmpty { return "phase \(name)" }
    guard let index = decoder.codingPath.last?.intValue else { return "phase" }
    return "phase number \(index + 1)"
  }

  private init(optionsOf decoder: any Decoder, subject: String) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self, in: subject)
    guard let name = try values.decodeIfPresent(String.self, forKey: .name) else {
      throw ScheduleError(.invalidOption, subject: subject, detail: "has no name")
    }
    self.name = name
    choose = try values.decodeIfPresent(StageChoice.self, forKey: .choose)
    guard let train = try values.decodeIfPresent(ParameterSelection.self, forKey: .train) else {
      throw ScheduleError(.invalidOption, subject: subject, detail: "does not say what to train")
    }
    self.train = train
    steps = try values.decodeIfPresent(Int.self, forKey: .steps)
    until = try Self.triggers(values)
    budget = try values.decodeIfPresent(TimeBudget.self, forKey: .budget)
    let endsOtherwise = steps != nil || !until.isEmpty || budget != nil
    epochs = try values.decodeIfPresent(Int.self, forKey: .epochs) ?? (endsOtherwise ? nil : Self.usualEpochs)
    var inner: Double?
    optimizer = .adamW()
    if values.contains(.optimizer) {
      (optimizer, inner) = try OptimizerDescription.decode(from: values.superDecoder(forKey: .optimizer))
    }
    let own = try values.decodeIfPresent(LearningRate.self, forKey: .learningRate)
    learningRate = try Self.rate(own, inner, of: subject)
    rateUnit = try values.decodeChoice(.rateUnit, or: .absolute, in: subject)
    multipliers = try values.decodeIfPresent(RateMultipliers.self, forKey: .multipliers)
    optimizerState = try values.decodeChoice(.optimizerState, or: .keep, in: subject)
    clipping = try values.decodeIfPresent(GradientClipping.self, forKey: .clipping)
    batchNormalization = try values.decodeChoice(.batchNormalization, or: .frozenStatistics, in: subject)
    freezeSettled = try values.decodeIfPresent(SettledFreezing.self, forKey: .freezeSettled)
    restore = try values.decodeChoiceIfPresent(.restore, in: subject)
  }

  private static func triggers(_ values: KeyedDecodingContainer<CodingKeys>) throws -> [Trigger] {
    guard values.contains(.until) else { return [] }
    if (try? values.nestedUnkeyedContainer(forKey: .until)) != nil {
      return try values.decode([Trigger].self, forKey: .until)
    }
    return try values.decodeIfPresent(Trigger.self, forKey: .until).map { [$0] } ?? []
  }

  private static func rate(_ own: LearningRate?, _ inner: Double?, of subject: String) throws -> LearningRate {
    switch (own, inner) {
    case (let rate?, nil): return rate
    case (nil, let rate?): return .constant(rate)
    case (nil, nil): throw ScheduleError(.invalidOption, subject: subject, detail: "has no learningRate")
    case (_?, _?):
      throw ScheduleError(
        .invalidOption, subject: subject, detail: "has a learningRate of its own and one in its optimizer")
    }
  }

  /// Writes what is not as usual, and what trains, when it ends and by which rule in any case.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    try values.encode(train, forKey: .train)
    try values.encodeIfPresent(choose, forKey: .choose)
    try values.encodeIfPresent(epochs, forKey: .epochs)
    try values.encodeIfPresent(steps, forKey: .steps)
    if until.count == 1 { try values.encode(until[0], forKey: .until) }
    if until.count > 1 { try values.encode(until, forKey: .until) }
    try values.encodeIfPresent(budget, forKey: .budget)
    try values.encode(learningRate, forKey: .learningRate)
    if rateUnit != .absolute { try values.encode(rateUnit, forKey: .rateUnit) }
    try values.encodeIfPresent(multipliers, forKey: .multipliers)
    try values.encode(optimizer, forKey: .optimizer)
    if optimizerState != .keep { try values.encode(optimizerState, forKey: .optimizerState) }
    try values.encodeIfPresent(clipping, forKey: .clipping)
    try values.encode(batchNormalization, forKey: .batchNormalization)
    try values.encodeIfPresent(freezeSettled, forKey: .freezeSettled)
    try values.encodeIfPresent(restore, forKey: .restore)
  }
}
