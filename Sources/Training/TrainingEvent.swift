import Freezing
import Tasks

/// What a run tells while it goes on.
public enum TrainingEvent: Hashable, Sendable {
  /// A phase begins.
  case phaseBegan(PhaseStart)
  /// A phase goes on that began in an earlier process, in its epoch of this number.
  case phaseResumed(PhaseStart, epoch: Int)
  /// So many pictures have gone through the frozen part of the network, to be kept.
  case featuresCached(count: Int, of: Int)
  /// The optimizer has taken a step.
  case step(StepReport)
  /// All training samples have been seen once, and the validation samples after them.
  case epoch(EpochReport)
  /// A phase has ended.
  case phaseEnded(PhaseReport)
  /// Something that a person may want to know.
  case note(String)

  /// What a phase is about to do.
  public struct PhaseStart: Hashable, Sendable, Codable {
    /// The phase's name.
    public var phase: String
    /// Its place among the run's phases, from 0.
    public var index: Int
    /// How many phases there are.
    public var phaseCount: Int
    /// How many numbers train.
    public var trainableParameters: Int
    /// The most epochs it may take; nil where nobody bounds them.
    public var epochs: Int?
    /// The samples of a step.
    public var batchSize: Int
    /// The samples that are computed at once.
    public var microBatchSize: Int
  }

  /// One step of the optimizer.
  public struct StepReport: Hashable, Sendable, Codable {
    /// The phase's name.
    public var phase: String
    /// The epoch in the phase, from 1.
    public var epoch: Int
    /// The step in the run, from 1.
    public var step: Int
    /// J of the batch.
    public var loss: Double
    /// The learning rate.
    public var learningRate: Double
    /// Training pictures a second since the epoch began.
    public var imagesPerSecond: Double
    /// How long the phase lasts from here if it takes all its epochs or time; nil where nobody bounds them.
    public var secondsLeft: Double?
  }

  /// One pass over the samples.
  public struct EpochReport: Hashable, Sendable, Codable {
    /// The phase's name.
    public var phase: String
    /// The epoch in the phase, from 1.
    public var epoch: Int
    /// The mean of J over the training samples, while they trained.
    public var loss: Double
    /// J on the validation samples; nil where those train too.
    public var validationLoss: Double?
    /// What is measured of each task on the validation samples.
    public var validation: [String: TaskSummary]
    /// Whether no epoch before had a lower validation loss, in any phase.
    public var isBest: Bool
    /// How long training and validation took.
    public var seconds: Double
    /// Training pictures a second.
    public var imagesPerSecond: Double
  }

  /// One task in a few numbers.
  public struct TaskSummary: Hashable, Sendable, Codable {
    /// The mean loss.
    public var loss: Double
    /// The share of samples whose class was found.
    public var accuracy: Double
  }
}

/// What a phase has done.
public struct PhaseReport: Hashable, Sendable, Codable {
  /// The phase's name.
  public var name: String
  /// How many numbers trained.
  public var trainableParameters: Int
  /// How many epochs it took.
  public var epochs: Int
  /// How many of them led to the weights that it left; 0 where those of an earlier phase were better.
  public var bestEpoch: Int
  /// How long it took, with everything.
  public var seconds: Double
  /// Training pictures a second while training: caching and validation are not in it.
  public var imagesPerSecond: Double
  /// Whether the frozen part ran once for each picture instead of at each step.
  public var cached: Bool
  /// How many pictures' features an earlier run had left, so that the frozen part did not run for them at all.
  public var reusedFeatures: Int
  /// The samples of a step that were computed at once.
  public var microBatchSize: Int
  /// The bytes of the plan of what trained: activations, gradients and packed parameters.
  public var arenaBytes: Int
  /// The lowest validation loss of the phase and of the weights that it began with.
  public var bestValidationLoss: Double
  /// What ended it: `epochs`, `steps`, `budget`, or a trigger such as `plateau of validation.loss`.
  public var endedBy: String
}

// MARK: - In files

extension TrainingEvent {
  /// Whether the event belongs to the run, and not to the process that works on it.
  var isLogged: Bool {
    switch self {
    case .phaseResumed, .featuresCached: false
    case .phaseBegan, .step, .epoch, .phaseEnded, .note: true
    }
  }
}

extension TrainingEvent: Encodable {
  private enum Key: String, CodingKey {
    case event
    case epoch
    case count
    case of
    case text
  }

  /// Writes the event's name beside its values.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    switch self {
    case .phaseBegan(let start):
      try values.encode("phaseBegan", forKey: .event)
      try start.encode(to: encoder)
    case .phaseResumed(let start, let epoch):
      try values.encode("phaseResumed", forKey: .event)
      try values.encode(epoch, forKey: .epoch)
      try start.encode(to: encoder)
    case .featuresCached(let count, let total):
      try values.encode("featuresCached", forKey: .event)
      try values.encode(count, forKey: .count)
      try values.encode(total, forKey: .of)
    case .step(let report):
      try values.encode("step", forKey: .event)
      try report.encode(to: encoder)
    case .epoch(let report):
      try values.encode("epoch", forKey: .event)
      try report.encode(to: encoder)
    case .phaseEnded(let report):
      try values.encode("phaseEnded", forKey: .event)
      try report.encode(to: encoder)
    case .note(let text):
      try values.encode("note", forKey: .event)
      try values.encode(text, forKey: .text)
    }
  }
}
