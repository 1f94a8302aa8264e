import Foundation

/// What a search for a learning rate has seen: the loss at rates that rise from step to step.
///
/// The learning rate range test. Smith, "Cyclical learning rates for training neural networks", 2017.
public struct RateSearch: Hashable, Sendable, Codable {
  /// One step.
  public struct Step: Hashable, Sendable, Codable {
    /// The learning rate.
    public var learningRate: Double
    /// J of the step's batch.
    public var loss: Double
    /// The running mean of the losses so far, without its pull towards zero.
    public var smoothedLoss: Double
  }

  /// The phase whose parameters and rule were tried.
  public var phase: String
  /// All steps, in order.
  public private(set) var steps: [Step] = []
  /// Whether the loss grew so large that the search ended early.
  public private(set) var hasDiverged = false
  /// A rate to train with: where the smoothed loss falls fastest; nil where it never falls.
  public private(set) var suggestion: Double?

  /// How much of the running mean remains at each step.
  private static let smoothing = 0.9
  /// The search ends where the smoothed loss is so many times its lowest.
  private static let divergence = 4.0
  /// Losses of the first steps say little: the running mean has yet to settle.
  private static let settlingCount = 5

  private var mean = 0.0

  private enum CodingKeys: String, CodingKey {
    case phase, steps, hasDiverged, suggestion
  }

  /// A search that has seen nothing.
  public init(phase: String) { self.phase = phase }

  /// Takes note of a step.
  ///
  /// - Returns: Whether the search goes on: the loss is a number, and not much larger than it has been.
  public mutating func note(learningRate: Double, loss: Double) -> Bool {
    guard loss.isFinite else {
      hasDiverged = true
      suggestion = steepestRate
      return false
    }
    mean = mean * Self.smoothing + loss * (1 - Self.smoothing)
    let smoothed = mean / (1 - pow(Self.smoothing, Double(steps.count + 1)))
    steps.append(Step(learningRate: learningRate, loss: loss, smoothedLoss: smoothed))
    suggestion = steepestRate
    let lowest = steps.map(\.smoothedLoss).min() ?? smoothed
    hasDiverged = steps.count > Self.settlingCount && smoothed > Self.divergence * lowest
    return !hasDiverged
  }

  /// The rate at which the smoothed loss falls fastest over the logarithm of the rate, before it is lowest.
  private var steepestRate: Double? {
    guard let lowest = steps.indices.min(by: { steps[$0].smoothedLoss < steps[$1].smoothedLoss }) else { return nil }
    var best: (fall: Double, rate: Double)?
    // Over some steps at once: between two neighbours chance decides.
    let reach = max(1, steps.count / 20)
    for place in steps.indices where place >= Self.settlingCount + reach && place + reach <= lowest {
      let (before, after) = (steps[place - reach], steps[place + reach])
      let fall = (before.smoothedLoss - after.smoothedLoss) / log(after.learningRate / before.learningRate)
      if fall > best?.fall ?? 0 { best = (fall, steps[place].learningRate) }
    }
    return best?.rate
  }
}

/// Which rates a search tries.
public struct RateRange: Hashable, Sendable {
  /// The rate of the first step; more than 0.
  public var lowest: Double
  /// The rate of the last step; more than the lowest.
  public var highest: Double
  /// The number of steps; at least 20.
  public var stepCount: Int

  /// Rates that rise by the same factor from step to step.
  public init(lowest: Double = 1e-6, highest: Double = 1, stepCount: Int = 100) {
    self.lowest = lowest
    self.highest = highest
    self.stepCount = stepCount
  }

  /// The rate of a step, counted from 0.
  public func rate(step: Int) -> Double {
    lowest * pow(highest / lowest, Double(step) / Double(max(stepCount - 1, 1)))
  }

  /// Checks that the numbers lie in their ranges.
  ///
  /// - Throws: ``TrainingError`` with code `invalidOption`.
  public func validate() throws(TrainingError) {
    guard lowest > 0, highest > lowest, highest.isFinite else {
      throw TrainingError(
        .invalidOption, subject: "learning rates",
        detail: "expected a lowest rate above 0 and a highest above that, found \(lowest) and \(highest)")
    }
    guard (20...100_000).contains(stepCount) else {
      throw TrainingError(
        .invalidOption, subject: "steps", detail: "must be at least 20 and sensible, but is \(stepCount)")
    }
  }
}
