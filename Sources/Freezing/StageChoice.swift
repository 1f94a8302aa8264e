/// What a step does to one stage of a network, as measured while it trains or before.
public struct StageNorms: Hashable, Sendable {
  /// The stage's name.
  public var stage: String
  /// The norm of the gradients of all its parameters together.
  public var gradient: Double
  /// The norm of all its parameters together.
  public var weights: Double

  /// Norms of a stage.
  public init(stage: String, gradient: Double, weights: Double) {
    self.stage = stage
    self.gradient = gradient
    self.weights = weights
  }

  /// How large a step is beside what it changes: ‖g‖/‖w‖; 0 for a stage without weights.
  public var relativeGradient: Double { weights > 0 && gradient.isFinite ? gradient / weights : 0 }
}

/// Stages that are chosen when a phase begins, by what its first batches would do to them.
///
/// The gradients of some batches are measured with everything that the phase could train, and no step is taken. Those stages
/// train whose relative gradients are largest: they are where the network has to change. Lee et al., 2023.
public struct StageChoice: Hashable, Sendable {
  /// How many batches are measured; at least 1.
  public var batches: Int
  /// How many stages are chosen; at least 1.
  public var count: Int
  /// The stages that were chosen, once they are: then nothing is measured again, so that the run can be repeated.
  public var chosen: [String]?

  /// A choice that is still to be made.
  public init(batches: Int = 4, count: Int = 2, chosen: [String]? = nil) {
    self.batches = batches
    self.count = count
    self.chosen = chosen
  }

  /// The stages with the largest mean of relative gradients over some batches, in the order of the network.
  ///
  /// Of equals the one nearer to the output is chosen, whose training costs less.
  ///
  /// - Parameter measured: The norms of all stages from input to output, for each batch.
  public func stages(by measured: [[StageNorms]]) -> [String] {
    guard let first = measured.first else { return [] }
    let sums = first.indices.map { stage in measured.reduce(0) { $0 + $1[stage].relativeGradient } }
    let ranked = first.indices.sorted { (sums[$0], $0) > (sums[$1], $1) }
    return ranked.prefix(count).sorted().map { first[$0].stage }
  }

  /// Checks that the numbers lie in their ranges.
  func validate(in subject: String) throws(ScheduleError) {
    for (name, value) in [("batches", batches), ("count", count)] where value < 1 {
      throw ScheduleError(.invalidOption, subject: subject, detail: "\(name) must be at least 1, but is \(value)")
    }
  }
}

extension StageChoice: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case stagesByGradientNorm
  }

  private enum Option: String, CodingKey, CaseIterable {
    case batches
    case count
    case chosen
  }

  /// Reads `{stagesByGradientNorm: {batches: 4, count: 2}}`.
  public init(from decoder: any Decoder) throws {
    let (_, inner) = try decoder.singleKey(of: Key.self, in: "choose")
    let values = try inner.strictContainer(keyedBy: Option.self, in: "choose stagesByGradientNorm")
    self.init(
      batches: try values.decode(.batches, or: 4), count: try values.decode(.count, or: 2),
      chosen: try values.decodeIfPresent([String].self, forKey: .chosen))
  }

  /// Writes all options.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    var values = container.nestedContainer(keyedBy: Option.self, forKey: .stagesByGradientNorm)
    try values.encode(batches, forKey: .batches)
    try values.encode(count, forKey: .count)
    try values.encodeIfPresent(chosen, forKey: .chosen)
  }
}
