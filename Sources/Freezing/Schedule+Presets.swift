import Foundation

extension Schedule {
  /// The head alone on a frozen trunk: a linear probe.
  ///
  /// The features stay what they were, which is hard to beat far from the training data. Kumar et al., 2022.
  public static var head: Schedule { Schedule(phases: [.probe]) }

  /// The head alone, then head and last two stages at a low rate.
  ///
  /// A head that fits before the trunk moves keeps the trunk's features from being torn about by the large gradients of
  /// a random head. Kumar et al., 2022.
  public static var probeThenTune: Schedule {
    let tune = Phase(
      name: "tune", train: .head + .stages(last: 2), epochs: 10, until: .plateau(patience: 3, minimumDelta: 1e-4),
      learningRate: .cosine(peak: 2e-4, warmUp: 0.1), clipping: .globalNorm(1))
    return Schedule(phases: [.probe, tune])
  }

  /// Everything from the first step.
  ///
  /// What transfers best where there is much data, or data unlike that of the pretraining. Yosinski et al., 2014.
  public static var full: Schedule { Schedule(phases: [.tuning("full", .all)]) }

  /// The head and the last stages of the trunk from the first step.
  ///
  /// The lower a layer, the more general its features, and the less there is to gain from changing them. Yosinski et al.,
  /// 2014.
  public static func last(_ stageCount: Int) -> Schedule {
    Schedule(phases: [.tuning("tune", .head + .stages(last: stageCount))])
  }

  /// The head, then a stage more in each phase from the output down, the rates of the stages falling by 2.6.
  ///
  /// Slanted triangular rates: a tenth of the steps up, the rest down to a thirty-second. ULMFiT, Howard and Ruder, 2018.
  ///
  /// - Parameter stages: The stages of the trunk that have something to train, from input to output.
  public static func gradual(stages: [String]) -> Schedule {
    var phases: [Phase] = [.probe]
    for index in stages.indices.reversed() {
      let isLast = index == 0
      var phase = Phase.tuning(
        Phase.unused("\(stages[index])", by: phases), isLast ? .all : .head + .stages(stages[index...]))
      phase.learningRate = LearningRate(
        peak: 1e-3, warmUp: 0.1, shape: .polynomial(final: 1.0 / 32))
      phase.multipliers = RateMultipliers(stageDecay: 1 / 2.6)
      phase.epochs = isLast ? 10 : 2
      if !isLast { phase.until = [] }
      phases.append(phase)
    }
    return Schedule(phases: phases)
  }

  /// The head, then every stage by itself from the input up, then everything.
  ///
  /// What trains alone can neither hide behind other layers nor overfit with them. DeepMoji, Felbo et al., 2017.
  ///
  /// - Parameter stages: The stages of the trunk that have something to train, from input to output.
  public static func chainThaw(stages: [String]) -> Schedule {
    var phases: [Phase] = [.probe]
    for stage in stages {
      var phase = Phase.tuning(Phase.unused(stage, by: phases), .stage(stage))
      phase.epochs = 5
      phase.until = [.plateau(patience: 2, minimumDelta: 1e-4)]
      phases.append(phase)
    }
    var whole = Phase.tuning(Phase.unused("all", by: phases), .all)
    whole.learningRate = .cosine(peak: 1e-4, warmUp: 0.1)
    whole.epochs = 10
    return Schedule(phases: phases + [whole])
  }

  /// The head, then head and those two stages that the data pulls at most.
  ///
  /// Pictures that look different want other early layers, other classes want other late ones. Lee et al., 2023.
  public static var surgical: Schedule {
    var tune = Phase.tuning("tune", .head)
    tune.choose = StageChoice()
    tune.epochs = 10
    tune.learningRate = .cosine(peak: 2e-4, warmUp: 0.1)
    return Schedule(phases: [.probe, tune])
  }

  /// Everything from the first step, the rate falling by a quarter with each block further down.
  ///
  /// As BEiT and timm fine-tune. Clark et al., 2020; Bao et al., 2022.
  public static var layerDecay: Schedule {
    var phase = Phase.tuning("full", .all)
    phase.learningRate = .cosine(peak: 1e-3, warmUp: 0.1)
    phase.multipliers = RateMultipliers(layerDecay: 0.75)
    return Schedule(phases: [phase])
  }

  /// The head, and the scales and shifts of all normalisations.
  ///
  /// Few numbers, which reach every channel. Frankle et al., 2021.
  public static var normOnly: Schedule { Schedule(phases: [.sparse("norm", .head + .normalization)]) }

  /// The head, and everything that is only added.
  ///
  /// BitFit, Ben Zaken et al., 2022.
  public static var biasOnly: Schedule { Schedule(phases: [.sparse("bias", .head + .bias)]) }

  /// Everything from the first step, while stages whose gradients have settled are frozen from the input on.
  ///
  /// AutoFreeze, Liu et al., 2021.
  public static var autoFreeze: Schedule {
    var phase = Phase.tuning("full", .all)
    phase.freezeSettled = SettledFreezing()
    return Schedule(phases: [phase])
  }

  /// One epoch of the head, then everything in one cycle, the lowest stage at a hundredth of the head's rate.
  ///
  /// What fastai's `fine_tune` does, with its numbers. Howard and Gugger, 2020; Smith and Topin, 2019.
  ///
  /// - Parameter stages: The stages of the trunk that have something to train, from input to output.
  public static func fastai(stages: [String]) -> Schedule {
    let frozen = Phase(
      name: "frozen", train: .head, epochs: 1,
      learningRate: LearningRate(peak: 2e-3, warmUp: 0.99, shape: .oneCycle(final: 1e-5)),
      optimizer: .adamW(OptimizerDescription.Moments(beta2: 0.99, epsilon: 1e-5)))
    var unfrozen = frozen
    unfrozen.name = "unfrozen"
    unfrozen.train = .all
    unfrozen.epochs = 10
    unfrozen.learningRate = LearningRate(peak: 1e-3, warmUp: 0.3, shape: .oneCycle(start: 0.2, final: 1e-5))
    unfrozen.multipliers = RateMultipliers(stageDecay: stages.isEmpty ? nil : root(0.01, stages.count))
    return Schedule(phases: [frozen, unfrozen])
  }

  /// The factor that makes a share when it is applied so many times, with the digits that a person would write.
  private static func root(_ share: Double, _ count: Int) -> Double {
    (pow(share, 1 / Double(count)) * 1000).rounded() / 1000
  }
}

extension ParameterSelection {
  /// Consecutive stages of the trunk.
  fileprivate static func stages(_ names: ArraySlice<String>) -> ParameterSelection {
    guard let first = names.first, let last = names.last else { return .none }
    return first == last ? .stage(first) : .stageRange(from: first, through: last)
  }
}

extension Phase {
  /// The head alone, to the end of what it can learn.
  ///
  /// By plain gradient descent: of all heads that fit few pictures it finds the one with the smallest weights, as logistic
  /// regression with a little decay does, and that is the better one for new pictures than what Adam finds, or what is
  /// stopped on its way there.
  package static var probe: Phase {
    Phase(
      name: "probe", train: .head, epochs: 30,
      learningRate: .cosine(peak: OptimizerDescription.usualRateByFeaturePower), rateUnit: .featurePower,
      optimizer: .sgd(), restore: .last)
  }

  /// Parts of the trunk at a moderate rate, until the validation loss stops falling.
  fileprivate static func tuning(_ name: String, _ selection: ParameterSelection) -> Phase {
    Phase(
      name: name, train: selection, epochs: 20, until: .plateau(patience: 5, minimumDelta: 1e-4),
      learningRate: .cosine(peak: 5e-4, warmUp: 0.1), clipping: .globalNorm(1))
  }

  /// Few numbers at a high rate: they cannot destroy much.
  fileprivate static func sparse(_ name: String, _ selection: ParameterSelection) -> Phase {
    var phase = tuning(name, selection)
    phase.epochs = 30
    phase.learningRate = .cosine(peak: 2e-3, warmUp: 0.1)
    return phase
  }

  /// A name that no phase has, made of the one that was wished for.
  fileprivate static func unused(_ name: String, by phases: [Phase]) -> String {
    phases.contains { $0.name == name } ? unused("\(name)'", by: phases) : name
  }
}
