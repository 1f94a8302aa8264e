/// What a run is going to take, before it runs: `graft train --dry-run`.
public struct Forecast: Hashable, Sendable, Codable {
  /// Where the features of a frozen part are kept.
  public enum FeaturePlace: String, Hashable, Sendable, Codable {
    /// In memory.
    case memory
    /// In a file in the run's folder, as far as memory has no room.
    case file
  }

  /// One phase.
  public struct Phase: Hashable, Sendable, Codable {
    /// The phase's name.
    public var name: String
    /// What trains, as the schedule says it; where stages are chosen when the phase begins, how many.
    public var trains: String
    /// How many numbers train; the most where stages are still to be chosen, as in all that follows.
    public var trainableParameters: Int
    /// The most epochs that it takes: what its epochs, its steps and its time allow.
    public var epochs: Int
    /// The most steps that it takes; in the last epoch there may be fewer than in others.
    public var steps: Int
    /// The optimizer's steps in an epoch.
    public var stepsPerEpoch: Int
    /// The samples of a step.
    public var batchSize: Int
    /// The samples that are computed at once.
    public var microBatchSize: Int
    /// Multiplications and additions of a step, the frozen part's among them where it runs at each step.
    public var flopsPerStep: Int
    /// How long an epoch takes with its validation, measured on a few steps.
    public var secondsPerEpoch: Double
    /// How long the frozen part takes once for all pictures before the first epoch, and the choice of stages.
    ///
    /// 0 where the frozen part runs at each step, or its features are there already, and nothing is chosen.
    public var secondsBefore: Double
    /// The most time that it takes: what its epochs, its steps and its time allow.
    public var seconds: Double
    /// The bytes of the plan of what trains: activations, gradients and packed parameters.
    public var arenaBytes: Int
    /// The bytes of what is kept of the frozen part; 0 where nothing is.
    public var featureBytes: Int
    /// Where that is; nil where nothing is kept.
    public var featurePlace: FeaturePlace?
    /// Whether the frozen part runs once for each picture instead of at each step.
    public var cached: Bool
    /// The most memory that the process has in it, without what the system keeps of files.
    public var peakResidentBytes: Int
  }

  /// All phases, in order.
  public var phases: [Phase]
  /// How long the run takes if every phase takes all its epochs, as far as the schedule's time allows.
  public var seconds: Double
  /// The most memory that the process will have had, without what the system keeps of files.
  public var peakResidentBytes: Int
}
