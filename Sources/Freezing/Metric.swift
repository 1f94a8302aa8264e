/// Something measured on the validation samples after every epoch: `validation.loss`, or of one task
/// `validation.TASK.accuracy`.
public struct Metric: Hashable, Sendable {
  /// What is measured.
  public enum Quantity: String, Hashable, Sendable, CaseIterable {
    /// The mean loss; lower is better. Without a task it is J, the loss that is trained.
    case loss
    /// The share of samples whose class was found; higher is better. Without a task it is the mean over the tasks.
    case accuracy
  }

  /// What is measured.
  public var quantity: Quantity
  /// The task it is measured of; nil for all together.
  public var task: String?

  /// J on the validation samples.
  public static let validationLoss = Metric(.loss)
  /// The share of validation samples whose class was found, as a mean over the tasks.
  public static let validationAccuracy = Metric(.accuracy)

  /// A quantity of one task, or of all.
  public init(_ quantity: Quantity, task: String? = nil) {
    self.quantity = quantity
    self.task = task
  }

  /// Whether one value is better than another by more than a difference; NaN never is.
  public func isBetter(_ value: Double, than other: Double, by minimumDelta: Double = 0) -> Bool {
    switch quantity {
    case .loss: value < other - minimumDelta
    case .accuracy: value > other + minimumDelta
    }
  }

  /// Whether a value is at least as good as another; NaN never is.
  public func reaches(_ target: Double, with value: Double) -> Bool {
    switch quantity {
    case .loss: value <= target
    case .accuracy: value >= target
    }
  }
}

extension Metric: CustomStringConvertible {
  /// The metric's name in a schedule.
  public var description: String {
    (["validation"] + (task.map { [$0] } ?? []) + [quantity.rawValue]).joined(separator: ".")
  }

  /// Reads `validation.loss` or `validation.TASK.loss`.
  ///
  /// - Throws: `ScheduleError.Code.unknownName`.
  public init(_ text: String) throws(ScheduleError) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count > 1, parts[0] == "validation", let quantity = Quantity(rawValue: String(parts[parts.count - 1])),
      parts.allSatisfy({ !$0.isEmpty })
    else {
      throw ScheduleError(
        .unknownName, subject: "metric \(text)",
        detail: "expected validation.loss or validation.accuracy, or of one task validation.TASK.loss")
    }
    self.init(quantity, task: parts.count > 2 ? parts[1..<parts.count - 1].joined(separator: ".") : nil)
  }
}

extension Metric: Codable {
  /// Reads the metric's name.
  public init(from decoder: any Decoder) throws {
    try self.init(decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the metric's name.
  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    try value.encode(description)
  }
}

/// What has been seen of a metric so far: a value, so that a checkpoint can keep it.
public struct MetricWatch: Hashable, Sendable, Codable {
  /// The best value so far; nil before the first.
  public var best: Double?
  /// The epochs since then.
  public var waitedCount = 0

  /// Nothing seen yet.
  public init() {}

  /// Takes note of an epoch.
  ///
  /// - Returns: Whether the value is an improvement; the first that is a number always is.
  public mutating func note(_ value: Double, metric: Metric, minimumDelta: Double) -> Bool {
    let isImprovement = best.map { metric.isBetter(value, than: $0, by: minimumDelta) } ?? !value.isNaN
    if isImprovement {
      best = value
      waitedCount = 0
    } else {
      waitedCount += 1
    }
    return isImprovement
  }
}
