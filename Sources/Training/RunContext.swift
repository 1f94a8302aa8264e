import Engine
import Freezing
import Graphs
import Tasks

/// Where in a run its state is whole.
package enum RunMoment: Hashable, Sendable {
  /// Something was decided that a later run repeats.
  case decision
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
  /// The network that ends in logits.
  let graph: Graph
  /// The layers that answer each task.
  let heads: [Head]
  /// What is learnt from.
  let data: TrainingData
  /// What trains when; the phases that fit again are among its phases.
  let schedule: Schedule
  /// Whether the phases fit again what has been chosen, on the validation samples too.
  let isRefit: Bool
  /// All forms of all pictures that the run ever trains on; nil where there are too many to count.
  let forms: [PictureRequest]?
  /// How samples go through the machine.
  let options: TrainingOptions
  /// What each phase means for the network when it begins; where stages are still to be chosen, when any could be.
  let plans: [PhasePlan]
  /// The way of the pictures to each phase.
  let features: FeatureChain
  /// Where features go that memory has no room for; nil for nowhere.
  let cacheFolder: String?
  /// Where features of earlier runs are; nil for nowhere.
  let library: FeatureLibrary?
  /// Told of everything that happens.
  let events: (TrainingEvent) throws -> Void
  /// Called wherever the run's state is whole.
  var reached: (RunMoment) throws -> Void = { _ in }

  /// The layers of all heads.
  var headLayers: Set<String> { Set(heads.flatMap(\.layers)) }

  /// The samples of one batch.
  var batchSize: Int { min(options.batchSize, data.training.count) }

  /// How a phase is to be compiled while some parameters train.
  func plan(_ phase: Phase, at index: Int, trainable: Set<ParameterPath>) -> PhasePlan {
    PhasePlan(
      phase, trainable: trainable, graph: graph, heads: heads, batchSize: batchSize,
      microBatchSize: plans[index].microBatchSize)
  }
}
