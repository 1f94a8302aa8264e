import Graphs

/// A schedule that has a name: what it does, where it comes from, and how it is made for a network.
public struct SchedulePreset: Sendable {
  /// The name, `last:2` with its number.
  public let name: String
  /// The name as a list shows it: `last:N`.
  public let form: String
  /// What it does, in one sentence.
  public let summary: String
  /// Who described it, and where.
  public let source: String
  private let make: @Sendable (_ stages: [String]) -> Schedule

  private init(
    _ name: String, form: String? = nil, _ summary: String, from source: String,
    make: @escaping @Sendable (_ stages: [String]) -> Schedule
  ) {
    self.name = name
    self.form = form ?? name
    self.summary = summary
    self.source = source
    self.make = make
  }

  /// The schedule for a network.
  ///
  /// - Parameters:
  ///   - graph: The network, with or without heads; where it has no stages, those places count where its resolution falls.
  ///   - headLayers: The names of the layers that new heads replace, and of heads that are there.
  public func schedule(for graph: Graph, headLayers: Set<String> = []) -> Schedule {
    make(graph.trainableStages(headLayers: headLayers).map(\.name))
  }

  /// The preset of a name.
  ///
  /// - Throws: `ScheduleError.Code.unknownName` with the names that there are.
  public static func named(_ name: String) throws(ScheduleError) -> SchedulePreset {
    if let preset = all.first(where: { $0.name == name }) { return preset }
    if name.hasPrefix("last:"), let count = Int(name.dropFirst(5)), count > 0 { return last(count) }
    throw ScheduleError(
      .unknownName, subject: "schedule \(name)", detail: "expected \(all.map(\.form).joined(separator: ", "))")
  }

  /// All presets; the first is the default.
  public static let all: [SchedulePreset] = [
    SchedulePreset(
      "probe-then-tune", "The head alone until it fits, then head and last two stages at a low rate.",
      from: "Kumar et al., Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution, ICLR 2022"
    ) { Schedule.probeThenTune.fitting($0) },
    SchedulePreset(
      "head", "The head alone on a frozen trunk: a linear probe.",
      from: "Kumar et al., Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution, ICLR 2022"
    ) { _ in .head },
    SchedulePreset(
      "full", "Everything from the first step.",
      from: "Yosinski et al., How transferable are features in deep neural networks?, NeurIPS 2014"
    ) { _ in .full },
    SchedulePreset(
      "gradual", "The head, then a stage more in each phase from the output down, rates falling by 2.6 a stage.",
      from: "Howard and Ruder, Universal Language Model Fine-tuning for Text Classification, ACL 2018"
    ) { .gradual(stages: $0) },
    SchedulePreset(
      "chain-thaw", "The head, then every stage by itself from the input up, then everything.",
      from: "Felbo et al., Using millions of emoji occurrences to learn any-domain representations, EMNLP 2017"
    ) { .chainThaw(stages: $0) },
    last(2),
    SchedulePreset(
      "surgical", "The head, then head and the two stages with the largest gradients beside their weights.",
      from: "Lee et al., Surgical Fine-Tuning Improves Adaptation to Distribution Shifts, ICLR 2023"
    ) { Schedule.surgical.fitting($0) },
    SchedulePreset(
      "layer-decay", "Everything from the first step, the rate falling by a quarter with each block further down.",
      from: "Clark et al., ELECTRA, ICLR 2020; Bao et al., BEiT, ICLR 2022"
    ) { _ in .layerDecay },
    SchedulePreset(
      "norm-only", "The head, and the scales and shifts of all normalisations.",
      from: "Frankle et al., Training BatchNorm and Only BatchNorm, ICLR 2021"
    ) { _ in .normOnly },
    SchedulePreset(
      "bias-only", "The head, and everything that is only added: biases, and shifts of normalisations.",
      from: "Ben Zaken et al., BitFit, ACL 2022"
    ) { _ in .biasOnly },
    SchedulePreset(
      "auto-freeze",
      "Everything from the first step; stages whose gradients have settled are frozen from the input on.",
      from: "Liu et al., AutoFreeze: Automatically Freezing Model Blocks to Accelerate Fine-tuning, 2021"
    ) { _ in .autoFreeze },
    SchedulePreset(
      "fastai", "One epoch of the head, then everything in one cycle, the lowest stage at a hundredth of the rate.",
      from: "Howard and Gugger, fastai: A Layered API for Deep Learning, 2020; Smith and Topin, Super-Convergence, 2019"
    ) { .fastai(stages: $0) },
  ]

  private static func last(_ count: Int) -> SchedulePreset {
    SchedulePreset(
      "last:\(count)", form: "last:N", "The head and the last N stages from the first step.",
      from: "Yosinski et al., How transferable are features in deep neural networks?, NeurIPS 2014"
    ) { _ in .last(count) }
  }
}

extension Schedule {
  /// The same for a trunk with too few stages to train two of them: all of it trains.
  ///
  /// - Parameter stages: The stages of the trunk that have something to train.
  fileprivate func fitting(_ stages: [String]) -> Schedule {
    guard stages.count < 2 else { return self }
    var result = self
    for index in result.phases.indices where result.phases[index] != .probe {
      result.phases[index].train = .all
      result.phases[index].choose = nil
    }
    return result
  }

  /// The names of the presets, one of them with a number to put in; the first is the default.
  public static let presetNames = SchedulePreset.all.map(\.form)

  /// The preset of a name, made for a network.
  ///
  /// - Parameters:
  ///   - graph: The backbone, or the whole network.
  ///   - headLayers: The names of the layers that new heads replace, and of heads that are there.
  /// - Throws: `ScheduleError.Code.unknownName`.
  public static func preset(
    named name: String, for graph: Graph, headLayers: Set<String> = []
  ) throws(ScheduleError) -> Schedule {
    try SchedulePreset.named(name).schedule(for: graph, headLayers: headLayers)
  }
}
