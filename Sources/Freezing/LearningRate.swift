import Foundation

/// How fast to train at each step of a phase: a shape, the rate at its peak, and a warm-up before it.
///
/// With a warm-up of a share w of the phase's T steps, W = w·T of them climb evenly: step s < W trains at
/// peak·(s + 1)/(W + 1). What follows is told by the shape, with p = (s − W)/(T − W), the share of the rest that is done.
public struct LearningRate: Hashable, Sendable {
  /// The highest rate.
  public var peak: Double
  /// The share of the steps over which the rate climbs; 0 or more and below 1.
  public var warmUp: Double
  /// How the rate goes on from its peak.
  public var shape: Shape

  /// How a rate goes on from its peak; `final` and `start` are shares of it.
  public enum Shape: Hashable, Sendable {
    /// The peak to the end.
    case constant
    /// Times a factor at some places of the phase, given as shares of all its steps. He et al., 2016.
    case step(factor: Double = 0.1, at: [Double] = [0.5, 0.75])
    /// By the same ratio at every step, down to a share of the peak: peak·finalᵖ.
    case exponential(final: Double = 0.01)
    /// Along half a cosine, again and again: peak·(final + (1 − final)·(1 + cos π·q)/2), with q the share of the cycle that
    /// is done. The first cycle takes a share of what follows the warm-up, each further one so many times the one before.
    /// Loshchilov and Hutter, 2017.
    case cosine(final: Double = 0, period: Double = 1, growth: Double = 1)
    /// Up along half a cosine from a share of the peak, during the warm-up, and down along another to a smaller share.
    /// Smith and Topin, 2019; the numbers are PyTorch's.
    case oneCycle(start: Double = 0.04, final: Double = 4e-6)
    /// peak·(final + (1 − final)·(1 − p)ᵖᵒʷᵉʳ).
    case polynomial(power: Double = 1, final: Double = 0)
    /// Times a factor whenever a metric has not improved for a while.
    case reduceOnPlateau(RateReduction = RateReduction())
  }

  /// A rate; see `LearningRate.Shape` for what its numbers mean.
  public init(peak: Double, warmUp: Double = 0, shape: Shape) {
    self.peak = peak
    self.warmUp = warmUp
    self.shape = shape
  }

  /// The same rate at every step, after the warm-up.
  public static func constant(_ peak: Double, warmUp: Double = 0) -> LearningRate {
    LearningRate(peak: peak, warmUp: warmUp, shape: .constant)
  }

  /// From the peak down to zero along half a cosine.
  public static func cosine(peak: Double, warmUp: Double = 0) -> LearningRate {
    LearningRate(peak: peak, warmUp: warmUp, shape: .cosine())
  }

  /// Up during the warm-up, then down to almost nothing.
  public static func oneCycle(peak: Double, warmUp: Double = 0.3) -> LearningRate {
    LearningRate(peak: peak, warmUp: warmUp, shape: .oneCycle())
  }

  /// The same shape with another peak.
  public func with(peak: Double) -> LearningRate {
    var result = self
    result.peak = peak
    if case .reduceOnPlateau(var reduction) = shape {
      reduction.minimum *= peak / self.peak
      result.shape = .reduceOnPlateau(reduction)
    }
    return result
  }

  /// Whether the rate depends on how many steps the phase has, so that the phase has to say it.
  public var needsTotal: Bool {
    switch shape {
    case .constant, .reduceOnPlateau: warmUp > 0
    default: true
    }
  }
}

// MARK: - The rate of a step

extension LearningRate {
  /// The rate of one step, counted from 0, in a phase of so many steps.
  ///
  /// - Parameter plateau: What `reduceOnPlateau` has seen so far.
  public func value(step: Int, of total: Int, plateau: PlateauState = PlateauState()) -> Double {
    precondition(step >= 0 && step < total, "a step lies inside its phase")
    if case .oneCycle(let start, let final) = shape { return oneCycle(step, of: total, start: start, final: final) }
    let climbing = min(Int((warmUp * Double(total)).rounded()), total - 1)
    if step < climbing { return peak * Double(step + 1) / Double(climbing + 1) }
    let (done, rest) = (Double(step - climbing), Double(total - climbing))
    switch shape {
    case .constant, .oneCycle: return peak
    case .step(let factor, let places):
      return peak * pow(factor, Double(places.count { Double(step) >= ($0 * Double(total)).rounded() }))
    case .exponential(let final): return peak * pow(final, done / rest)
    case .cosine(let final, let period, let growth):
      let share = Self.shareOfCycle(done, first: max(1, (period * rest).rounded()), growth: growth)
      return peak * (final + (1 - final) * (1 + cos(.pi * share)) / 2)
    case .polynomial(let power, let final): return peak * (final + (1 - final) * pow(1 - done / rest, power))
    case .reduceOnPlateau(let reduction): return reduction.rate(from: peak, after: plateau.reductionCount)
    }
  }

  /// Takes note of an epoch's metric, where the shape waits for one.
  public func note(_ value: Double, in plateau: inout PlateauState) {
    guard case .reduceOnPlateau(let reduction) = shape else { return }
    if plateau.watch.note(value, metric: reduction.metric, minimumDelta: reduction.minimumDelta) { return }
    guard plateau.watch.waitedCount >= reduction.patience,
      reduction.rate(from: peak, after: plateau.reductionCount) > reduction.minimum
    else { return }
    plateau.reductionCount += 1
    plateau.watch.waitedCount = 0
  }

  /// Up to the step before the last of the warm-up and down to the last of all, as PyTorch counts.
  private func oneCycle(_ step: Int, of total: Int, start: Double, final: Double) -> Double {
    func between(_ from: Double, _ to: Double, _ share: Double) -> Double {
      to + (from - to) * (1 + cos(.pi * share)) / 2
    }
    let top = max(0, warmUp * Double(total) - 1)
    let end = Double(total - 1)
    let place = Double(step)
    if place < top || end <= top { return peak * between(start, 1, top > 0 ? min(1, place / top) : 1) }
    return peak * between(1, final, (place - top) / (end - top))
  }

  private static func shareOfCycle(_ done: Double, first: Double, growth: Double) -> Double {
    var (rest, length) = (done, first)
    while rest >= length {
      rest -= length
      length *= growth
    }
    return rest / length
  }
}

// MARK: - Waiting for a plateau

/// How a rate falls when a metric no longer improves: at the end of an epoch, by a factor, down to a least rate.
public struct RateReduction: Hashable, Sendable {
  /// What is watched.
  public var metric: Metric
  /// What the rate is multiplied by.
  public var factor: Double
  /// After how many epochs without improvement; at least 1.
  public var patience: Int
  /// What differs by no more than this is no improvement; 0 or more.
  public var minimumDelta: Double
  /// The rate does not fall below this.
  public var minimum: Double

  /// A reduction with Keras's factor, and the patience that few epochs allow.
  public init(
    metric: Metric = .validationLoss, factor: Double = 0.1, patience: Int = 3, minimumDelta: Double = 1e-4,
    minimum: Double = 0
  ) {
    self.metric = metric
    self.factor = factor
    self.patience = patience
    self.minimumDelta = minimumDelta
    self.minimum = minimum
  }

  /// The rate after so many reductions.
  func rate(from peak: Double, after count: Int) -> Double {
    max(peak * pow(factor, Double(count)), min(minimum, peak))
  }
}

/// What a rate that waits for a plateau has seen so far: a value, so that a checkpoint can keep it.
public struct PlateauState: Hashable, Sendable, Codable {
  /// The metric so far.
  public var watch = MetricWatch()
  /// How often the rate has been reduced.
  public var reductionCount = 0

  /// Nothing seen yet.
  public init() {}
}

// MARK: - Checking

extension LearningRate {
  /// Checks that the peak is more than zero and every other number inside its range.
  func validate(in subject: String) throws(ScheduleError) {
    func check(_ name: String, _ value: Double, _ isFine: Bool, _ expected: String) throws(ScheduleError) {
      guard value.isFinite, isFine else {
        throw ScheduleError(.invalidOption, subject: subject, detail: "\(name) must be \(expected), but is \(value)")
      }
    }
    try check("learningRate", peak, peak > 0, "more than 0")
    try check("warmUp", warmUp, warmUp >= 0 && warmUp < 1, "at least 0 and below 1")
    switch shape {
    case .constant: break
    case .step(let factor, let places):
      try check("factor", factor, factor > 0 && factor <= 1, "more than 0 and at most 1")
      guard !places.isEmpty else {
        throw ScheduleError(.invalidOption, subject: subject, detail: "at must name a share of the phase or more")
      }
      for place in places { try check("at", place, place > 0 && place < 1, "shares between 0 and 1") }
    case .exponential(let final): try check("final", final, final > 0 && final <= 1, "more than 0 and at most 1")
    case .cosine(let final, let period, let growth):
      try check("final", final, final >= 0 && final <= 1, "from 0 to 1")
      try check("period", period, period >= 0.001 && period <= 1, "from 0.001 to 1")
      try check("growth", growth, growth >= 1 && growth <= 100, "from 1 to 100")
    case .oneCycle(let start, let final):
      try check("start", start, start >= 0 && start <= 1, "from 0 to 1")
      try check("final", final, final >= 0 && final <= 1, "from 0 to 1")
    case .polynomial(let power, let final):
      try check("power", power, power > 0, "more than 0")
      try check("final", final, final >= 0 && final <= 1, "from 0 to 1")
    case .reduceOnPlateau(let reduction):
      try check("factor", reduction.factor, reduction.factor > 0 && reduction.factor < 1, "more than 0 and below 1")
      try check("patience", Double(reduction.patience), reduction.patience > 0, "at least 1")
      try check("minimumDelta", reduction.minimumDelta, reduction.minimumDelta >= 0, "0 or more")
      try check("minimum", reduction.minimum, reduction.minimum >= 0, "0 or more")
    }
  }
}
