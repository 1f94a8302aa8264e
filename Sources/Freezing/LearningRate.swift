import Foundation

/// How fast to train at each step of a phase.
///
/// Every shape may begin with a warm-up, a share w of all steps over which the rate climbs evenly to its peak: with W = w·T
/// steps of it, step s < W trains at peak·(s + 1)/(W + 1).
public enum LearningRate: Hashable, Sendable {
  /// The peak, after the warm-up.
  case constant(Double, warmUp: Double = 0)
  /// From the peak down to zero along half a cosine: peak·(1 + cos π·(s − W)/(T − W))/2. Loshchilov and Hutter, 2017.
  case cosine(peak: Double, warmUp: Double = 0)

  /// The highest rate.
  public var peak: Double {
    switch self {
    case .constant(let peak, _), .cosine(let peak, _): peak
    }
  }

  /// The share of the steps that the rate climbs.
  public var warmUp: Double {
    switch self {
    case .constant(_, let warmUp), .cosine(_, let warmUp): warmUp
    }
  }

  /// The same shape with another peak.
  public func with(peak: Double) -> LearningRate {
    switch self {
    case .constant(_, let warmUp): .constant(peak, warmUp: warmUp)
    case .cosine(_, let warmUp): .cosine(peak: peak, warmUp: warmUp)
    }
  }

  /// The rate of one step, counted from 0, in a phase of so many steps.
  public func value(step: Int, of total: Int) -> Double {
    precondition(step >= 0 && step < total, "a step lies inside its phase")
    let climbing = min(Int((warmUp * Double(total)).rounded()), total - 1)
    if step < climbing { return peak * Double(step + 1) / Double(climbing + 1) }
    switch self {
    case .constant: return peak
    case .cosine: return peak * (1 + cos(.pi * Double(step - climbing) / Double(total - climbing))) / 2
    }
  }

  /// Checks that the peak is more than zero and the warm-up a share.
  func validate(in subject: String) throws(ScheduleError) {
    guard peak.isFinite, peak > 0 else {
      throw ScheduleError(.invalidOption, subject: subject, detail: "learningRate must be more than 0, but is \(peak)")
    }
    guard warmUp >= 0, warmUp < 1 else {
      throw ScheduleError(
        .invalidOption, subject: subject, detail: "warmUp must be at least 0 and below 1, but is \(warmUp)")
    }
  }
}

extension LearningRate: Codable {
  private enum Shape: String, CodingKey, CaseIterable {
    case constant
    case cosine
  }

  private enum Option: String, CodingKey, CaseIterable {
    case peak
    case warmUp
  }

  /// Reads a number, which is a constant rate, or `{cosine: {peak: 1e-3, warmUp: 0.1}}`.
  public init(from decoder: any Decoder) throws {
    if let value = try? decoder.singleValueContainer().decode(Double.self) {
      self = .constant(value)
      return
    }
    let (shape, inner) = try decoder.singleKey(of: Shape.self, in: "learningRate")
    let options = try inner.strictContainer(keyedBy: Option.self, in: "learningRate")
    let peak = try options.decode(Double.self, forKey: .peak)
    let warmUp = try options.decodeIfPresent(Double.self, forKey: .warmUp) ?? 0
    switch shape {
    case .constant: self = .constant(peak, warmUp: warmUp)
    case .cosine: self = .cosine(peak: peak, warmUp: warmUp)
    }
  }

  /// Writes a plain number where that says everything.
  public func encode(to encoder: any Encoder) throws {
    if case .constant(let peak, warmUp: 0) = self {
      var value = encoder.singleValueContainer()
      try value.encode(peak)
      return
    }
    var values = encoder.container(keyedBy: Shape.self)
    let shape: Shape =
      switch self {
      case .constant: .constant
      case .cosine: .cosine
      }
    var options = values.nestedContainer(keyedBy: Option.self, forKey: shape)
    try options.encode(peak, forKey: .peak)
    if warmUp != 0 { try options.encode(warmUp, forKey: .warmUp) }
  }
}
