import Backbones
import Datasets
import Engine
import Graphs
import KerasFormats
import Tasks
import Training

extension FineTuning {
  /// What a configuration describes, so that running it repeats the run that wrote it.
  ///
  /// - Parameters:
  ///   - configuration: The contents of a `run.yaml`.
  ///   - name: Its file, for messages.
  ///   - folders: Where a backbone's name is looked for; the usual folders if nil.
  ///   - mode: How a backbone's file is read that is not a pretrained one. A configuration cannot make a file trusted:
  ///     it may come from a stranger as well.
  /// - Throws: The error of whatever failed, whose description is one sentence; `TrainingError` where the pictures or
  ///   the backbone's file are others than those of the configuration.
  public init(
    _ configuration: RunConfiguration, name: String, in folders: PretrainedFolders? = nil, mode: ReadingMode = .isolated
  ) throws {
    try self.init(configuration, name: name, isResumed: false, in: folders, mode: mode)
  }

  /// What a configuration describes, for a run again or for the same run.
  init(
    _ configuration: RunConfiguration, name: String, isResumed: Bool, in folders: PretrainedFolders?, mode: ReadingMode
  ) throws {
    try Self.checkNumbers(of: configuration, name: name)
    let dataset = try Dataset.read(at: configuration.data.path)
    if let expected = configuration.data.fingerprint, expected != dataset.fingerprint {
      throw TrainingError(
        .invalidOption, subject: configuration.data.path,
        detail: "holds other pictures or labels than when \(name) was written: expected the fingerprint \(expected), "
          + "found \(dataset.fingerprint); "
          + (isResumed
            ? "a run goes on only with those" : "without data.fingerprint in \(name) they are taken all the same"))
    }
    try Self.check(configuration.tasks, against: dataset, name: name)
    let loading = configuration.backbone.loading ?? RunConfiguration.Loading()
    let family = try loading.family.map { wanted throws(TrainingError) in
      if let family = BackboneFamily.named(wanted) { return family }
      let near = BackboneFamily.all.map(\.name).nearest(to: wanted, count: 5).joined(separator: ", ")
      throw TrainingError(
        .invalidOption, subject: name,
        detail: "backbone.loading.family: there is no family \(wanted); the nearest are \(near)")
    }
    let backbone = try Backbone.load(
      configuration.backbone.source, in: folders, family: family, cutAt: configuration.backbone.cutAt,
      options: LoadOptions(loading), mode: mode)
    if let expected = configuration.backbone.sha256 {
      let found = try sha256(ofFile: backbone.path)
      guard found == expected else {
        throw TrainingError(
          .invalidOption, subject: backbone.path,
          detail: "is another file than when \(name) was written: expected the SHA-256 \(expected), found \(found); "
            + (isResumed
              ? "a run goes on only with that" : "without backbone.sha256 in \(name) it is taken all the same"))
      }
    }
    self.init(backbone, on: dataset, schedule: configuration.schedule, options: configuration.options)
    tasks = configuration.tasks.isEmpty ? nil : configuration.tasks
    imageSize = Size2D(configuration.backbone.imageSize)
    head.dropoutRate = configuration.backbone.dropout
    fit = configuration.data.fit
    augmentation = configuration.data.augmentation
    split = configuration.data.split
    maximumBadFiles = configuration.data.maximumBadFiles
    dataPath = configuration.data.path
    record = configuration.record
  }

  /// Checks the numbers that come from a command line otherwise, which checks them itself.
  private static func checkNumbers(of configuration: RunConfiguration, name: String) throws(TrainingError) {
    let augmentation = configuration.data.augmentation
    let split = configuration.data.split
    let (area, aspect) = (augmentation.cropArea ?? 1...1, augmentation.cropAspect)
    let ranges: [(option: String, value: Double, range: ClosedRange<Double>)] = [
      ("backbone.imageSize", Double(configuration.backbone.imageSize), 8...4096),
      ("backbone.dropout", Double(configuration.backbone.dropout), 0...0.999),
      ("data.augmentation.flipProbability", augmentation.flipProbability, 0...1),
      ("data.augmentation.cropArea", area.lowerBound, 0.001...1),
      ("data.augmentation.cropArea", area.upperBound, 0.001...1),
      ("data.augmentation.cropAspect", aspect.lowerBound, 0.01...100),
      ("data.augmentation.cropAspect", aspect.upperBound, 0.01...100),
      ("data.augmentation.brightness", augmentation.brightness, 0...1),
      ("data.augmentation.contrast", augmentation.contrast, 0...1),
      ("data.augmentation.saturation", augmentation.saturation, 0...1),
      ("data.split.training", split.training, 0.000001...1), ("data.split.validation", split.validation, 0.000001...1),
      ("data.split.test", split.test, 0...1),
      ("the sum of data.split", split.training + split.validation + split.test, 0.999999...1.000001),
    ]
    for (option, value, range) in ranges where !range.contains(value) {
      throw TrainingError(
        .invalidOption, subject: name,
        detail: "\(option) must be from \(range.lowerBound) to \(range.upperBound), but is \(value)")
    }
  }

  private static func check(
    _ tasks: [TaskDescription], against dataset: Dataset, name: String
  ) throws(TrainingError) {
    for task in tasks {
      guard let labels = dataset.tasks.first(where: { $0.name == task.name }) else {
        throw TrainingError(
          .tasksDiffer, subject: dataset.root,
          detail: "has no labels of \(task.name), which \(name) names; found "
            + dataset.tasks.map(\.name).joined(separator: ", "))
      }
      guard labels.classes == task.classes else {
        throw TrainingError(
          .tasksDiffer, subject: dataset.root,
          detail: "has other classes of \(task.name) than \(name): expected \(task.classes.joined(separator: ", ")), "
            + "found \(labels.classes.joined(separator: ", "))")
      }
    }
  }
}

// MARK: - Loading in a configuration

extension LoadOptions {
  /// What a configuration says.
  init(_ loading: RunConfiguration.Loading) {
    self.init()
    matching = Matching(rawValue: loading.matching.rawValue) ?? .automatic
    for (bit, word) in Tolerance.words where loading.tolerance.contains(word) { tolerance.insert(bit) }
    knownClasses = loading.knownClasses
    kernelOrientation = loading.kernelOrientation.flatMap { KernelOrientation(rawValue: $0.rawValue) }
  }
}

extension LoadOptions.Tolerance {
  fileprivate static let words: [(LoadOptions.Tolerance, RunConfiguration.Loading.Tolerance)] = [
    (.missing, .missing), (.unused, .unused), (.mismatched, .mismatched),
  ]
}

extension RunConfiguration.Loading {
  /// How a backbone was loaded.
  init(_ loading: Backbone.Loading) {
    self.init()
    family = loading.family?.name
    matching = Matching(rawValue: loading.options.matching.rawValue) ?? .automatic
    tolerance = LoadOptions.Tolerance.words.filter { loading.options.tolerance.contains($0.0) }.map(\.1)
    knownClasses = loading.options.knownClasses
    kernelOrientation = loading.options.kernelOrientation.flatMap { KernelOrientation(rawValue: $0.rawValue) }
    isTrusted = loading.mode == .inProcess
  }
}
