/// What ends a phase before its epochs and steps do.
public enum Trigger: Hashable, Sendable {
  /// A metric has not become better by more than a difference for so many epochs.
  case plateau(Metric = .validationLoss, patience: Int, minimumDelta: Double = 0)
  /// A metric is as good as a value or better.
  case target(Metric, Double)

  /// What is watched.
  public var metric: Metric {
    switch self {
    case .plateau(let metric, _, _), .target(let metric, _): metric
    }
  }

  /// Takes note of an epoch's metric.
  ///
  /// - Returns: Whether the phase ends.
  public func note(_ value: Double, in watch: inout MetricWatch) -> Bool {
    switch self {
    case .plateau(let metric, let patience, let minimumDelta):
      _ = watch.note(value, metric: metric, minimumDelta: minimumDelta)
      return watch.waitedCount >= patience
    case .target(let metric, let target):
      _ = watch.note(value, metric: metric, minimumDelta: 0)
      return metric.reaches(target, with: value)
    }
  }

  /// Checks that the numbers lie in their ranges.
  func validate(in subject: String) throws(ScheduleError) {
    func invalid(_ detail: String) -> ScheduleError { ScheduleError(.invalidOption, subject: subject, detail: detail) }
    switch self {
    case .plateau(_, let patience, let minimumDelta):
      guard patience > 0 else { throw invalid("patience must be at least 1, but is \(patience)") }
      guard minimumDelta.isFinite, minimumDelta >= 0 else {
        throw invalid("minimumDelta must be 0 or more, but is \(minimumDelta)")
      }
    case .target(let metric, let target):
      guard target.isFinite, target >= 0, metric.quantity == .loss || target <= 1 else {
        let range = metric.quantity == .loss ? "0 or more" : "from 0 to 1"
        throw invalid("target of \(metric) must be \(range), but is \(target)")
      }
    }
  }
}

extension Trigger: CustomStringConvertible {
  /// What happens, in a few words.
  public var description: String {
    switch self {
    case .plateau(let metric, let patience, let minimumDelta):
      "\(metric) has not improved\(minimumDelta > 0 ? " by more than \(minimumDelta)" : "") for "
        + (patience == 1 ? "an epoch" : "\(patience) epochs")
    case .target(let metric, let target):
      "\(metric) is \(metric.quantity == .loss ? "at most" : "at least") \(target)"
    }
  }
}

extension Trigger: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case metric
    case patience
    case minimumDelta
    case target
  }

  /// Reads `{metric: validation.loss, patience: 4, minimumDelta: 1e-4}` or `{metric: validation.accuracy, target: 0.95}`.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self, in: "until")
    let metric = try values.decodeIfPresent(Metric.self, forKey: .metric)
    let patience = try values.decodeIfPresent(Int.self, forKey: .patience)
    let minimumDelta = try values.decodeIfPresent(Double.self, forKey: .minimumDelta)
    switch (patience, try values.decodeIfPresent(Double.self, forKey: .target)) {
    case (let patience?, nil):
      self = .plateau(metric ?? .validationLoss, patience: patience, minimumDelta: minimumDelta ?? 0)
    case (nil, let target?):
      guard let metric, minimumDelta == nil else { fallthrough }
      self = .target(metric, target)
    default:
      throw ScheduleError(
        .invalidOption, subject: "until", detail: "expected {metric, patience, minimumDelta} or {metric, target}")
    }
  }

  /// Writes all options.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(metric, forKey: .metric)
    switch self {
    case .plateau(_, let patience, let minimumDelta):
      try values.encode(patience, forKey: .patience)
      if minimumDelta != 0 { try values.encode(minimumDelta, forKey: .minimumDelta) }
    case .target(_, let target): try values.encode(target, forKey: .target)
    }
  }
}

/// What ended a phase.
public enum PhaseEnding: Hashable, Sendable {
  /// It has run all its epochs.
  case epochs
  /// It has run all its steps.
  case steps
  /// Its own time, or that of the whole schedule, was over.
  case budget
  /// What was waited for.
  case trigger(Trigger)
}

extension PhaseEnding {
  /// What ended it, as a name: `epochs`, `steps`, `budget`, `plateau of validation.loss`, `target of validation.accuracy`.
  public var name: String {
    switch self {
    case .epochs: "epochs"
    case .steps: "steps"
    case .budget: "budget"
    case .trigger(.plateau(let metric, _, _)): "plateau of \(metric)"
    case .trigger(.target(let metric, _)): "target of \(metric)"
    }
  }
}

extension PhaseEnding: CustomStringConvertible {
  /// What ended it, in a few words.
  public var description: String {
    switch self {
    case .epochs: "all epochs were run"
    case .steps: "all steps were run"
    case .budget: "the time was over"
    case .trigger(let trigger): "\(trigger)"
    }
  }
}
