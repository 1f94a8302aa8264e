extension Schedule {
  /// The names of the presets; the first is the default.
  public static let presetNames = ["probe-then-tune", "head", "full"]

  /// The preset of a name.
  ///
  /// - Throws: `ScheduleError.Code.unknownName`.
  public static func preset(named name: String) throws(ScheduleError) -> Schedule {
    switch name {
    case "head": .head
    case "full": .full
    case "probe-then-tune": .probeThenTune
    default:
      throw ScheduleError(
        .unknownName, subject: "schedule \(name)", detail: "expected \(presetNames.joined(separator: ", "))")
    }
  }

  /// The head alone on a frozen trunk: a linear probe.
  public static var head: Schedule { Schedule(phases: [.probe]) }

  /// The head alone until the validation loss stops falling, then head and last two stages at a tenth of the rate.
  ///
  /// A head that fits before the trunk moves keeps the trunk's features from being torn about by the large gradients of
  /// a random head. Kumar et al., 2022.
  public static var probeThenTune: Schedule {
    let tune = Phase(
      name: "tune", train: .head + .stages(last: 2), epochs: 10,
      until: Plateau(patience: 3, minimumDelta: 1e-4),
      learningRate: .cosine(peak: Phase.probe.learningRate.peak / 10, warmUp: 0.1),
      optimizer: .adamW(), clipping: .globalNorm(1))
    return Schedule(phases: [.probe, tune])
  }

  /// Everything from the first step.
  public static var full: Schedule {
    Schedule(phases: [
      Phase(
        name: "full", train: .all, epochs: 20, until: Plateau(patience: 5, minimumDelta: 1e-4),
        learningRate: .cosine(peak: 5e-4, warmUp: 0.1), optimizer: .adamW(), clipping: .globalNorm(1))
    ])
  }
}

extension Phase {
  /// The head alone until the validation loss stops falling.
  fileprivate static var probe: Phase {
    Phase(
      name: "probe", train: .head, epochs: 30, until: Plateau(patience: 4, minimumDelta: 1e-4),
      learningRate: .constant(2e-3), optimizer: .adamW())
  }
}

extension Schedule {
  /// The same schedule with some of its numbers replaced; what is nil stays.
  ///
  /// - Parameters:
  ///   - epochs: The most epochs of every phase.
  ///   - patience: The epochs without improvement after which a phase ends.
  ///   - learningRate: The peak of the first phase; the others keep their proportion to it.
  ///   - optimizer: The rule of every phase.
  public func adjusted(
    epochs: Int? = nil, patience: Int? = nil, learningRate: Double? = nil, optimizer: OptimizerDescription? = nil
  ) throws(ScheduleError) -> Schedule {
    var result = self
    let first = phases.first?.learningRate.peak ?? 1
    for index in result.phases.indices {
      if let epochs { result.phases[index].epochs = epochs }
      if let patience {
        var plateau = result.phases[index].until ?? Plateau(patience: patience)
        plateau.patience = patience
        result.phases[index].until = plateau
      }
      if let learningRate {
        let rate = phases[index].learningRate
        result.phases[index].learningRate = rate.with(peak: rate.peak / first * learningRate)
      }
      if let optimizer { result.phases[index].optimizer = optimizer }
    }
    try result.validate()
    return result
  }
}
