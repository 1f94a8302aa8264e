/// Freezing while training goes on: a stage whose gradients have settled has learnt what it will.
///
/// AutoFreeze, Liu et al., 2021. After each epoch the mean norm of each stage's gradients is compared with that of the epoch before. A stage has settled
/// when the norm has changed by no more than a share of itself for some epochs in a row. Only stages that have nothing in
/// training before them are frozen, since only they save the way back; the heads go on.
public struct SettledFreezing: Hashable, Sendable {
  /// For how many epochs the norm must have stayed; at least 1.
  public var window: Int
  /// By how much it may change meanwhile, as a share of itself; more than 0.
  public var threshold: Double

  /// Freezing of stages that have settled.
  public init(window: Int = 2, threshold: Double = 0.1) {
    self.window = window
    self.threshold = threshold
  }

  /// What has been seen and decided so far: a value, so that a checkpoint can keep it.
  public struct State: Hashable, Sendable, Codable {
    /// The stages that are frozen, from the input on.
    public var frozen: [String] = []
    /// The last mean norm of the gradients of each stage that still trains.
    public var norms: [String: Double] = [:]
    /// For how many epochs each of them has stayed.
    public var calmEpochCounts: [String: Int] = [:]

    /// Nothing seen yet.
    public init() {}
  }

  /// Takes note of an epoch.
  ///
  /// - Parameters:
  ///   - norms: The mean norm of the gradients of each stage that trains, from input to output.
  ///   - keepsLast: Whether the last stage goes on in any case, as it must where no head trains.
  /// - Returns: The stages that are frozen from now on, from input to output; they are also added to `state.frozen`.
  public func note(
    _ norms: [(stage: String, gradient: Double)], keepsLast: Bool, in state: inout State
  ) -> [String] {
    for (stage, norm) in norms {
      let isCalm = state.norms[stage].map { abs(norm - $0) <= threshold * $0 } ?? false
      state.calmEpochCounts[stage] = isCalm ? state.calmEpochCounts[stage, default: 0] + 1 : 0
      state.norms[stage] = norm
    }
    let candidates = keepsLast ? norms.dropLast() : norms[...]
    let settled = candidates.prefix { state.calmEpochCounts[$0.stage, default: 0] >= window }.map(\.stage)
    for stage in settled {
      state.norms[stage] = nil
      state.calmEpochCounts[stage] = nil
    }
    state.frozen += settled
    return settled
  }

  /// Checks that the numbers lie in their ranges.
  func validate(in subject: String) throws(ScheduleError) {
    guard window > 0 else {
      throw ScheduleError(.invalidOption, subject: subject, detail: "window must be at least 1, but is \(window)")
    }
    guard threshold > 0, threshold < 1 else {
      throw ScheduleError(
        .invalidOption, subject: subject, detail: "threshold must be more than 0 and below 1, but is \(threshold)")
    }
  }
}

extension SettledFreezing: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case window
    case threshold
  }

  /// Reads `{window: 2, threshold: 0.1}`.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self, in: "freezeSettled")
    self.init(window: try values.decode(.window, or: 2), threshold: try values.decode(.threshold, or: 0.1))
  }
}
