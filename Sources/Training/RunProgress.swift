import Engine
import Freezing
import Tasks

/// Where a run stands, in numbers: everything that changes while it goes on and is no array.
///
/// A checkpoint holds the whole of it, so that what is added here cannot be forgotten there.
package struct RunProgress: Hashable, Sendable, Codable {
  /// Epochs of all phases so far, which number the shuffles.
  package var epochCount = 0
  /// Optimizer steps of all phases so far.
  package var stepCount = 0
  /// Forward passes of all phases so far, which number the dropout masks.
  package var passCount: UInt64 = 0
  /// The lowest validation loss so far; infinite before the first epoch.
  package var bestLoss = Double.infinity
  /// What the phases have done that are over.
  package var reports: [PhaseReport] = []
  /// What had been learnt before everything trains once more on the validation samples too; nil before that.
  package var validation: [String: ClassificationMetrics]?
  /// The phase that is under way, or the next one.
  package var phase = PhaseProgress()
  /// What the run has decided by measuring or by the clock.
  package var record: RunRecord
  /// How long the run has been worked on.
  package var seconds = 0.0

  /// A run that has not begun.
  package init(_ record: RunRecord) { self.record = record }

  /// Whether nothing but time has passed between two states.
  func isSame(as other: RunProgress) -> Bool {
    var other = other
    other.seconds = seconds
    return self == other
  }

  /// Everything that is counted.
  var counts: [Int] {
    [epochCount, stepCount, Int(clamping: passCount)] + phase.counts
  }
}

/// Where a phase stands.
package struct PhaseProgress: Hashable, Sendable, Codable {
  /// Whether the phase has begun.
  package var hasBegun = false
  /// What has ended the phase, by its name; nil as long as it goes on.
  package var endedBy: String?

  /// Whole epochs of the phase.
  package var epochCount = 0
  /// Steps of the epoch that is under way.
  package var epochStepCount = 0
  /// The loss of each task, summed over the epoch that is under way.
  package var losses: [LossValue] = []
  /// The lowest validation loss of the phase; infinite before its first epoch.
  package var bestLoss = Double.infinity
  /// How many epochs had led to the weights that are kept; 0 where none of them did.
  package var bestEpochCount = 0

  /// What has been seen of the metric of each of the phase's triggers.
  package var watches: [MetricWatch] = []
  /// What a learning rate that waits for a plateau has seen.
  package var plateau = PlateauState()
  /// What is known of stages that may have settled.
  package var settled = SettledFreezing.State()
  /// The stages that were frozen on the way, together each time.
  package var freezings: [[String]] = []
  /// The norms of each stage's gradients, summed over the epoch that is under way.
  package var gradientNorms: [Double] = []

  /// 1 + the mean square length of what enters the part that trains, where the phase's rate is measured in it.
  package var featurePower: Double?
  /// Whether the frozen part runs once for each picture; nil before that is known.
  package var isCached: Bool?
  /// How many pictures' features an earlier run had left.
  package var reusedCount = 0
  /// When the phase began, on the run's own clock.
  package var beginSeconds = 0.0
  /// How long the epoch that is under way has trained.
  package var epochSeconds = 0.0
  /// How long all whole epochs have trained, without their validation.
  package var trainingSeconds = 0.0
  /// The training pictures of all whole epochs.
  package var pictureCount = 0

  /// A phase that has not begun.
  package init() {}

  /// Everything that is counted.
  fileprivate var counts: [Int] {
    [epochCount, epochStepCount, pictureCount, plateau.reductionCount, plateau.watch.waitedCount]
      + losses.map(\.count) + watches.map(\.waitedCount) + settled.calmEpochCounts.values
  }
}

/// A clock that runs while a run is worked on, from one process to the next.
struct RunClock {
  private let begin = ContinuousClock.now
  private let before: Double

  /// A clock that has shown so many seconds already.
  init(before seconds: Double) { before = seconds }

  /// How long the run has been worked on.
  var seconds: Double { before + (ContinuousClock.now - begin).inSeconds }
}

extension Duration {
  /// The duration in seconds; never zero, so that it can be divided by.
  var inSeconds: Double { max(Double(components.seconds) + Double(components.attoseconds) * 1e-18, 1e-9) }
}
