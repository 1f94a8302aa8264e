import Graft

/// What a run is, from the options of the command.
extension TrainCommand {
  /// The run that the options describe.
  ///
  /// - Parameter explanation: Takes what the recipe has chosen, and why.
  func first(_ data: String, explanation: inout String?) throws -> FineTuning {
    if let note = precision?.note { Console.note(note) }
    var options = TrainingOptions(precision: (precision ?? .auto).forTraining)
    if let accumulate { options.accumulation = accumulate }
    options.memoryBudget = memoryBudget?.bytes
    if let threads { options.threads = threads }
    if let seed { options.seed = seed }
    if mixup != nil || cutmix != nil { options.mixing = Mixing(mixup: mixup, cutmix: cutmix) }
    options.cacheMemoryBudget = cacheBudget?.bytes
    options.checkpointEvery = checkpointEvery
    let rule = try optimizer.map { try OptimizerDescription(named: $0.rawValue) }
    var written: Schedule?
    if case .file(let path) = schedule { written = try Schedule(contentsOf: path) }
    let pictures = try Dataset.read(at: data)
    let trunk = try Backbone.load(
      backbone ?? "efficientnet-lite0", family: loading.namedFamily, cutAt: cutAt, options: loading.options,
      mode: trust.mode)
    var tuning = FineTuning(trunk, on: pictures, options: options)
    if let split { tuning.split = split }
    let choices = try tuning.follow(recipe ?? .balanced)
    explanation = choices.explanation(without: overruled)
    if case .preset(let preset) = schedule {
      let refit = tuning.schedule.refit
      tuning.schedule = preset.schedule(for: trunk.graph)
      tuning.schedule.refit = refit
    }
    if let written { tuning.schedule = written }
    if let refit { tuning.schedule.refit = refit }
    tuning.schedule = try tuning.schedule.adjusted(
      epochs: epochs, patience: patience, learningRate: learningRate, optimizer: rule)
    if let batchSize { tuning.options.batchSize = batchSize }
    if let imageSize { tuning.imageSize = Size2D(imageSize) }
    if let fit { tuning.fit = fit }
    if let augment { tuning.augmentation = try Augmentation(named: augment.rawValue) }
    if let augmentVariants { tuning.options.augmentationVariants = augmentVariants }
    if let classWeights { tuning.classWeighting = classWeights.weighting }
    if let loss { tuning.loss = loss }
    if let labelSmoothing { tuning.labelSmoothing = labelSmoothing }
    if let maxBadFiles { tuning.maximumBadFiles = maxBadFiles }
    tuning.dataPath = data
    return tuning
  }

  /// What the recipe has no say in.
  private var overruled: Set<RecipeChoices.Choice> {
    var result: Set<RecipeChoices.Choice> = []
    if schedule != nil || epochs != nil || patience != nil || learningRate != nil || optimizer != nil {
      result.insert(.schedule)
    }
    if case .file = schedule { result.insert(.refit) }
    if refit != nil { result.insert(.refit) }
    if batchSize != nil { result.insert(.batchSize) }
    if imageSize != nil { result.insert(.imageSize) }
    if augment != nil { result.insert(.augmentation) }
    if labelSmoothing != nil { result.insert(.labelSmoothing) }
    if classWeights != nil { result.insert(.classWeighting) }
    return result
  }

  /// The run that a configuration describes.
  func again(_ path: String) throws -> FineTuning {
    let configuration = try RunConfiguration(contentsOf: path)
    if configuration.backbone.loading?.isTrusted == true, !trust.trust {
      Console.note("\(path) was written with --trust: the backbone's file is read in a process of its own nevertheless")
    }
    return try FineTuning(configuration, name: path, mode: trust.mode)
  }
}
