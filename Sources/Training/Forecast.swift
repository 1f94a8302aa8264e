/// What a run is going to take, before it runs: `graft train --dry-run`.
public struct Forecast: Hashable, Sendable, Codable {
  /// One phase.
  public struct Phase: Hashable, Sendable, Codable {
    /// The phase's name.
    public var name: String
    /// What trains, as the schedule says it.
    public var trains: String
    /// How many numbers train.
    public var trainableParameters: Int
    /// The most epochs that it takes.
    public var epochs: Int
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
    /// How long the frozen part takes once for all pictures before the first epoch; 0 where it runs at each step.
    public var secondsBefore: Double
    /// The bytes of the plan of what trains: activations, gradients and packed parameters.
    public var arenaBytes: Int
    /// The bytes of what is kept of the frozen part; 0 where nothing is.
    public var featureBytes: Int
    /// Whether the frozen part runs once for each picture instead of at each step.
    public var cached: Bool
  }

  /// All phases, in order.
  public var phases: [Phase]
  /// The most memory that the process will have had.
  public var peakResidentBytes: Int

  /// How long the run takes if every phase takes all its epochs.
  public var seconds: Double {
    phases.reduce(0) { $0 + $1.secondsBefore + $1.secondsPerEpoch * Double($1.epochs) }
  }
}
