extension Schedule: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case phases
    case restore
    case regularization
    case average
    case budget
    case refit
  }

  /// Reads a schedule and checks it.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self, in: "schedule")
    guard values.contains(.phases), (try? values.nestedUnkeyedContainer(forKey: .phases)) != nil else {
      throw ScheduleError(.invalidOption, subject: "schedule", detail: "has no list of phases")
    }
    self.init(
      phases: try values.decode([Phase].self, forKey: .phases),
      restore: try values.decodeChoice(.restore, or: .bestSoFar, in: "schedule"),
      regularization: try values.decodeIfPresent(Regularization.self, forKey: .regularization),
      average: try values.decodeIfPresent(Average.self, forKey: .average),
      budget: try values.decodeIfPresent(TimeBudget.self, forKey: .budget),
      refit: try values.decodeIfPresent(Bool.self, forKey: .refit) ?? false)
    try validate()
  }

  /// Writes the phases, which weights go on, and whatever else there is.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(phases, forKey: .phases)
    try values.encode(restore, forKey: .restore)
    try values.encodeIfPresent(regularization, forKey: .regularization)
    try values.encodeIfPresent(average, forKey: .average)
    try values.encodeIfPresent(budget, forKey: .budget)
    if refit { try values.encode(refit, forKey: .refit) }
  }
}

extension Schedule.Regularization: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case towardsPretrained
  }

  /// Reads `{towardsPretrained: 1e-3}`.
  public init(from decoder: any Decoder) throws {
    let (_, inner) = try decoder.singleKey(of: CodingKeys.self, in: "regularization")
    self.init(towardsPretrained: try inner.singleValueContainer().decode(Double.self))
  }

  /// Writes the strength.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(towardsPretrained, forKey: .towardsPretrained)
  }
}

extension Schedule.Average: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case exponential
  }

  /// Reads `{exponential: 0.999}`.
  public init(from decoder: any Decoder) throws {
    let (_, inner) = try decoder.singleKey(of: Key.self, in: "average")
    self = .exponential(try inner.singleValueContainer().decode(Double.self))
  }

  /// Writes the kind with its decay.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    switch self {
    case .exponential(let decay): try values.encode(decay, forKey: .exponential)
    }
  }
}

extension KeyedDecodingContainer {
  /// One of a few words, or the usual one where the key is not there.
  ///
  /// - Throws: `ScheduleError.Code.unknownName` naming the words.
  func decodeChoice<Choice: RawRepresentable & CaseIterable>(
    _ key: Key, or usual: Choice, in subject: String
  ) throws -> Choice where Choice.RawValue == String {
    try decodeChoiceIfPresent(key, in: subject) ?? usual
  }

  /// One of a few words, or nil where the key is not there.
  ///
  /// - Throws: `ScheduleError.Code.unknownName` naming the words.
  func decodeChoiceIfPresent<Choice: RawRepresentable & CaseIterable>(
    _ key: Key, in subject: String
  ) throws -> Choice? where Choice.RawValue == String {
    guard let word = try decodeIfPresent(String.self, forKey: key) else { return nil }
    guard let choice = Choice(rawValue: word) else {
      let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw ScheduleError(
        .unknownName, subject: subject, detail: "\(key.stringValue) must be one of \(words), but is \(word)")
    }
    return choice
  }
}
