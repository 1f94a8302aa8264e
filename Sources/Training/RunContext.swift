import Freezing

/// Where in a run its state is whole.
package enum RunMoment: Hashable, Sendable {
  /// Between two steps.
  case step
  /// Between two epochs.
  case epoch
  /// Between two phases, or behind the last.
  case phase
  /// Somebody wants the run to stop.
  case interruption
}

/// What a run works with and does not change.
struct RunContext {
  /// What is learnt from.
  let data: TrainingData
  /// What trains when.
  let schedule: Schedule
  /// How samples go through the machine.
  let options: TrainingOptions
  /// What each phase means for the network.
  let plans: [PhasePlan]
  /// The way of the pictures to each phase.
  let features: FeatureChain
  /// Where features go that memory has no room for; nil for nowhere.
  let cacheFolder: String?
  /// Told of everything that happens.
  let events: (TrainingEvent) throws -> Void
  /// Called wherever the run's state is whole.
  var reached: (RunMoment) throws -> Void = { _ in }
}
