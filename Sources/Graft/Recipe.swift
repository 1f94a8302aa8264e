import Datasets
import Freezing
import Graphs
import Tasks
import Training

/// How much a run does for its last percents; everything else follows from the pictures.
public enum Recipe: String, Hashable, Sendable, Codable, CaseIterable {
  /// The head alone: every picture goes through the trunk once, and the rest is a moment.
  case fast
  /// The head, then the last stages with it where there are pictures enough, then all again on the validation pictures
  /// too: what runs do that are not told otherwise.
  case balanced
  /// The head, then more of the trunk for longer where there are pictures enough, as `balanced` does with small ones, then
  /// both again on all pictures.
  case best
}

/// What a recipe has chosen for some pictures, and why.
public struct RecipeChoices: Hashable, Sendable {
  /// One thing that is chosen.
  public enum Choice: Hashable, Sendable, CaseIterable {
    case schedule
    case refit
    case batchSize
    case imageSize
    case augmentation
    case classWeighting
    case labelSmoothing
  }

  /// What trains when, and whether everything is fitted again.
  public let schedule: Schedule
  /// The samples of a step.
  public let batchSize: Int
  /// Height and width of the pictures that go in.
  public let imageSize: Size2D
  /// How training pictures are varied.
  public let augmentation: Augmentation
  /// How much the samples of each class count.
  public let classWeighting: ClassWeighting
  /// The share of each target that is spread evenly over all classes.
  public let labelSmoothing: Float

  private let beginning: String
  private let reasons: [Reason]

  private struct Reason: Hashable {
    let choice: Choice
    let text: String

    init(_ choice: Choice, _ text: String) {
      self.choice = choice
      self.text = text
    }
  }

  /// What was found and what was chosen, in one paragraph.
  ///
  /// - Parameter overruled: What somebody has chosen otherwise, and is left out.
  public func explanation(without overruled: Set<Choice> = []) -> String {
    let clauses = reasons.filter { !overruled.contains($0.choice) }.map(\.text)
    return clauses.isEmpty ? beginning : "\(beginning): \(clauses.joined(separator: "; "))"
  }
}

extension RecipeChoices {
  /// Chooses.
  ///
  /// - Parameters:
  ///   - facts: What is known of the pictures.
  ///   - backbone: The network, and the size that it was trained on.
  public init(_ recipe: Recipe, for facts: DataFacts, backbone: Backbone) {
    beginning = "recipe \(recipe.rawValue), for \(facts)"
    let count = facts.trainingCount
    var reasons: [Reason] = []

    // Steps are what a head needs, not epochs: few pictures want many passes, many pictures few.
    batchSize = count < 2000 ? 16 : 32
    let stepsPerEpoch = max(1, (count + batchSize - 1) / batchSize)
    func epochs(ofSteps steps: Int, _ range: ClosedRange<Int>) -> Int {
      min(max((steps + stepsPerEpoch - 1) / stepsPerEpoch, range.lowerBound), range.upperBound)
    }
    // Fewer teach a trunk nothing that has seen the like. Small pictures are unlike what it has seen, whatever they show.
    let isSmall = facts.pictureSide.map { $0 <= 96 } ?? false
    let isFew = count < (isSmall ? 50 : 300)
    let canTune = backbone.graph.parameters.contains(where: \.parameter.isTrainable)
    let isHeadAlone = recipe == .fast || isFew || !canTune
    // A head that knows the pictures by heart has nothing left to pull the trunk with.
    var probe = Phase.probe
    probe.epochs = isHeadAlone ? epochs(ofSteps: 600, 10...100) : epochs(ofSteps: 400, 10...24)
    // Small pictures ask more of the trunk to learn, and a pass over them takes little.
    let isDeep = recipe == .best || isSmall
    let stageCount = isDeep ? 5 : 3
    let isWhole = backbone.graph.trainableStages().count <= stageCount
    // To the end as well: few validation pictures tell badly which epoch was best, and the last is rarely a bad one of a
    // rate that has fallen to nothing.
    let tune = Phase(
      name: "tune", train: isWhole ? .all : .head + .stages(last: stageCount), epochs: isDeep ? 12 : 8,
      learningRate: .cosine(peak: isDeep ? 5e-4 : 1e-3, warmUp: 0.1), clipping: .globalNorm(1), restore: .last)
    schedule = Schedule(phases: isHeadAlone ? [probe] : [probe, tune], refit: true)
    if isHeadAlone {
      let reason = isFew ? "so few pictures teach the trunk little" : "nothing in the trunk can train"
      let why = recipe == .fast ? "" : ", since \(reason)"
      reasons.append(Reason(.schedule, "the head trains alone, for \(probe.epochs ?? 0) epochs\(why)"))
    } else {
      let stages = isWhole ? "whole trunk" : isDeep ? "last five stages" : "last three stages"
      let why = isDeep && recipe != .best ? ", since pictures so small are unlike what it has seen" : ""
      reasons.append(
        Reason(
          .schedule,
          "the head trains alone first, for \(probe.epochs ?? 0) epochs, then the \(stages) with it, for "
            + "\(tune.epochs ?? 0) at a rate of \(tune.learningRate.peak)\(why)"))
    }
    reasons.append(
      Reason(
        .refit,
        "at the end it is all fitted once more on the \(count + facts.validationCount) pictures with those for "
          + "validation"))
    reasons.append(
      Reason(.batchSize, "\(batchSize) pictures a step, as for \(count < 2000 ? "fewer than" : "at least") 2000"))

    let (own, small) = (backbone.imageSize, Size2D(128))
    if isSmall, let side = facts.pictureSide, own.height > small.height, own.width > small.width {
      imageSize = small
      reasons.append(
        Reason(.imageSize, "at \(small), since pictures of \(side) pixels have no more to show at \(own)"))
    } else {
      imageSize = own
      reasons.append(Reason(.imageSize, "at \(own), the size that the backbone was trained on"))
    }
    augmentation = .flip
    reasons.append(
      Reason(
        .augmentation,
        "pictures mirrored by chance and varied no further, so that what is frozen has only two forms of each to see"))
    // Pictures are soon known by heart where the trunk trains: without this the validation loss rises from an answer's
    // growing certainty while ever more answers are right, and what trains is stopped too early. A head by itself on few
    // pictures is stopped too early with it; where another schedule trains only that on many, it does no harm.
    labelSmoothing = isHeadAlone ? 0 : 0.1
    if labelSmoothing > 0 {
      reasons.append(Reason(.labelSmoothing, "a tenth of each target spread over all classes"))
    }
    if facts.smallestClass > 0, facts.largestClass >= 10 * facts.smallestClass {
      classWeighting = .balanced
      reasons.append(
        Reason(.classWeighting, "every class counts the same, since some are ten times as frequent as others"))
    } else {
      classWeighting = .none
    }
    self.reasons = reasons
  }
}

extension FineTuning {
  /// Takes what a recipe chooses for the backbone and the pictures; the seed and the split have to be set before.
  ///
  /// - Returns: What was chosen, for its explanation.
  /// - Throws: `DatasetError` where the pictures cannot be divided.
  @discardableResult
  public mutating func follow(_ recipe: Recipe) throws -> RecipeChoices {
    let facts = DataFacts(dataset, split: try Split(dataset, fractions: split, seed: options.seed))
    let choices = RecipeChoices(recipe, for: facts, backbone: backbone)
    schedule = choices.schedule
    options.batchSize = choices.batchSize
    imageSize = choices.imageSize
    augmentation = choices.augmentation
    classWeighting = choices.classWeighting
    labelSmoothing = choices.labelSmoothing
    return choices
  }
}
