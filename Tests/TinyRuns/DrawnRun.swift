import Datasets
import Freezing
import Models
import Training

/// A run of the tiny network that a seed draws: what trains, how fast, by which rule, in which portions, and what is kept.
package struct DrawnRun: Sendable {
  /// What is learnt from.
  package var tiny = TinyRun()
  /// What trains when.
  package var schedule: Schedule
  /// The share of features that heads drop.
  package var dropout: Float

  /// The run of a seed.
  package init(seed: UInt64) {
    var draw = Draw(generator: SeededGenerator(seed: seed, 0x7275_6e))
    tiny.augmentation = draw.one(of: [.none, .flip, .variants(3), .unlimited])
    tiny.options.batchSize = draw.one(of: [8, 5])
    tiny.options.microBatchSize = draw.one(of: [nil, 4, 1])
    tiny.options.accumulation = draw.one(of: [1, 1, 2])
    tiny.options.cachesFeatures = draw.one(of: [true, true, false])
    // In memory; in a file; the vectors of a first phase in memory, and the images of others in a file.
    tiny.options.cacheMemoryBudget = draw.one(of: [nil, 0, 30 * 8 * 4])
    tiny.options.seed = draw.one(of: [1, 2, 3])
    // After every step; every other; now and then; not before the end of a phase.
    tiny.options.checkpointEvery = .steps(draw.one(of: [1, 2, 5, 1000]))
    dropout = draw.one(of: [0, 0.2])
    let phaseCount = draw.one(of: [1, 2, 2, 3])
    schedule = Schedule(
      phases: (0..<phaseCount).map { draw.phase(number: $0) },
      restore: draw.one(of: [.bestSoFar, .bestOfPhase, .last]),
      regularization: draw.one(of: [nil, nil, Schedule.Regularization(towardsPretrained: 1e-2)]),
      average: draw.one(of: [nil, nil, .exponential(0.9)]))
    tiny.options.mixing = draw.one(of: [
      nil, nil, Mixing(mixup: 0.4), Mixing(cutmix: 1), Mixing(mixup: 0.2, cutmix: 1),
    ])
    tiny.options.precision = draw.one(of: [
      .f32, .f32, .bf16, TrainingPrecision(frozen: .bf16, trained: .f32),
    ])
    for index in schedule.phases.indices {
      schedule.phases[index].restore = draw.one(of: [nil, nil, .last, .bestOfPhase])
    }
    schedule.refit = draw.one(of: [false, false, true])
    if (try? schedule.validate()) == nil { schedule.refit = false }
  }

  /// The tiny network with fresh heads.
  package func model() throws -> Model { try TinyNetwork.model(tasks: tiny.tasks, dropout: dropout) }

  /// Everything that is chosen.
  package var configuration: RunConfiguration {
    RunConfiguration(
      data: RunConfiguration.Data(path: "memory"), backbone: RunConfiguration.Backbone(source: "tiny", imageSize: 8),
      tasks: tiny.tasks, schedule: schedule, options: tiny.options)
  }
}

private struct Draw {
  var generator: SeededGenerator

  mutating func one<Value>(of values: [Value]) -> Value { values[generator.index(below: values.count)] }

  mutating func phase(number: Int) -> Phase {
    var phase = Phase(
      name: "phase \(number)",
      train: one(of: [
        .head, .head + .stages(last: 1), .head + .stages(last: 2), .all, .trunk, .stage("first"), .layer("stem_bn"),
      ]), epochs: one(of: [1, 2, 3]), learningRate: rate())
    // One phase in four is cut short in an epoch.
    phase.steps = one(of: [nil, nil, nil, 4])
    phase.until = one(of: [
      [], [.plateau(patience: 1, minimumDelta: 1e-3)],
      [.target(.validationAccuracy, 0.6), .plateau(.validationAccuracy, patience: 2)],
    ])
    phase.choose = one(of: [nil, nil, nil, StageChoice(batches: 2, count: 1)])
    phase.multipliers = one(of: [
      nil, nil, RateMultipliers(head: 2, stageDecay: 0.5), RateMultipliers(layerDecay: 0.8),
    ])
    phase.optimizer = one(of: [
      .sgd(), .sgd(momentum: 0), .sgd(nesterov: true), .adam(), .adamW(), .rmsprop(), .lion(), .lamb(),
    ])
    phase.rateUnit = one(of: [.absolute, .absolute, .featurePower])
    phase.optimizerState = one(of: [.keep, .keep, .reset])
    phase.clipping = one(of: [nil, .globalNorm(1), .norm(0.5), .value(0.1)])
    phase.batchNormalization = one(of: [.frozenStatistics, .frozenStatistics, .trainingStatistics, .affineOnly])
    // Settled as soon as anybody looks, so that something is frozen on the way.
    phase.freezeSettled = one(of: [nil, nil, SettledFreezing(window: 1, threshold: 0.9)])
    return phase
  }

  private mutating func rate() -> LearningRate {
    let peak = one(of: [1e-2, 1e-3])
    return one(of: [
      .constant(peak), .cosine(peak: peak, warmUp: 0.2), .oneCycle(peak: peak),
      LearningRate(peak: peak, shape: .reduceOnPlateau(RateReduction(patience: 1))),
    ])
  }
}
