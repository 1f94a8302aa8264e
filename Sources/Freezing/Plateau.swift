/// When a phase has learnt what it can: a metric has not improved for some epochs.
public struct Plateau: Hashable, Sendable {
  /// What is watched.
  public enum Metric: String, Hashable, Sendable, Codable {
    /// J on the validation samples; lower is better.
    case validationLoss = "validation.loss"
  }

  /// What is watched.
  public var metric: Metric
  /// The phase ends after so many epochs without improvement; at least 1.
  public var patience: Int
  /// What differs by no more than this is no improvement; 0 or more.
  public var minimumDelta: Double

  /// A plateau of the validation loss.
  public init(metric: Metric = .validationLoss, patience: Int, minimumDelta: Double = 0) {
    self.metric = metric
    self.patience = patience
    self.minimumDelta = minimumDelta
  }

  /// Whether a value is better than the best so far; NaN never is.
  public func isImprovement(_ value: Double, over best: Double) -> Bool { value < best - minimumDelta }

  /// Checks that the numbers lie in their ranges.
  func validate(in subject: String) throws(ScheduleError) {
    guard patience > 0 else {
      throw ScheduleError(.invalidOption, subject: subject, detail: "patience must be at least 1, but is \(patience)")
    }
    guard minimumDelta.isFinite, minimumDelta >= 0 else {
      throw ScheduleError(
        .invalidOption, subject: subject, detail: "minimumDelta must be 0 or more, but is \(minimumDelta)")
    }
  }
}

extension Plateau: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case metric
    case patience
    case minimumDelta
  }

  /// Reads `{metric: validation.loss, patience: 4, minimumDelta: 1e-4}`.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self, in: "until")
    metric = try values.decodeIfPresent(Metric.self, forKey: .metric) ?? .validationLoss
    patience = try values.decode(Int.self, forKey: .patience)
    minimumDelta = try values.decodeIfPresent(Double.self, forKey: .minimumDelta) ?? 0
  }
}
