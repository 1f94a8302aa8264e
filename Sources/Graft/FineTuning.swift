import Backbones
import Datasets
import Engine
import Foundation
import Freezing
import Graphs
import Models
import Tasks
import Training

/// A backbone, labelled pictures, and how the one learns the other: everything that a run needs, as a value.
///
/// ```swift
/// var tuning = FineTuning(backbone, on: pictures)
/// tuning.schedule = .head
/// let run = try await tuning.run(output: "runs/first")
/// ```
public struct FineTuning: Sendable {
  /// The network that is fine-tuned; its classifier is left out.
  public var backbone: Backbone
  /// The pictures with their labels, and the tasks.
  public var dataset: Dataset
  /// What trains when, and how fast.
  public var schedule: Schedule
  /// How samples go through the machine, and the seed.
  public var options: TrainingOptions
  /// Height and width of the pictures that go in.
  public var imageSize: Size2D
  /// How pictures are brought to that size.
  public var fit = FineTuning.defaultFit
  /// How training pictures are varied.
  public var augmentation = FineTuning.defaultAugmentation
  /// How samples are divided where the data set does not say itself.
  public var split = SplitFractions.standard
  /// How much the samples of each class count.
  public var classWeighting = ClassWeighting.none
  /// How wrong an answer is counted to be.
  public var loss = TaskDescription.Loss.crossEntropy
  /// The share of each target that is spread evenly over all classes, 0 or more and below 1.
  public var labelSmoothing: Float = 0
  /// How many pictures may turn out unreadable: a number, or a share such as `1%`.
  public var maximumBadFiles = "1%"
  /// What is learnt; every task of the data set, with the weighting, loss and smoothing above, if nil.
  public var tasks: [TaskDescription]?
  /// The head that each task gets.
  public var head = ClassificationHead()
  /// Where the pictures were read from, for `run.yaml`, which holds the whole path.
  public var dataPath: String
  /// Where what the frozen part puts out is kept for later runs on the same pictures; nil keeps it for this run only.
  public var featureFolder: String?
  /// What an earlier run has decided by measuring or by the clock, to decide the same; nil decides anew.
  public var record: RunRecord?

  /// How pictures are brought to the network's size unless said otherwise.
  public static let defaultFit = Fit.pad
  /// Where the command keeps features for later runs: `graft/features` among the user's caches; nil where there is none.
  public static var usualFeatureFolder: String? { FeatureLibrary.usualFolder }
  /// How training pictures are varied unless said otherwise.
  public static let defaultAugmentation = Augmentation.flip

  /// Fine-tunes a backbone on a data set with the usual choices, all of which may be changed before the run.
  public init(
    _ backbone: Backbone, on dataset: Dataset, schedule: Schedule = .probeThenTune,
    options: TrainingOptions = TrainingOptions()
  ) {
    self.backbone = backbone
    self.dataset = dataset
    self.schedule = schedule
    self.options = options
    imageSize = backbone.imageSize
    dataPath = dataset.root
  }
}

/// What a run has made.
public struct FineTunedModel: Sendable {
  /// The finished model.
  public var model: Model
  /// What came out, in numbers: the contents of `result.json`.
  public var result: RunResult
  /// The folder with everything about the run.
  public var folder: RunFolder
}

// MARK: - Running

extension FineTuning {
  /// Checks the pictures, trains, measures, and writes everything into a folder.
  ///
  /// - Parameters:
  ///   - output: The folder of the run; it is made.
  ///   - isForced: Whether an older run in that folder may be replaced.
  ///   - handler: Told of everything that happens; training waits for it.
  /// - Throws: The error of whatever failed, whose description is one sentence.
  public func run(
    output: String, replacing isForced: Bool = false,
    handler: @escaping @Sendable (TrainingEvent) -> Void = { _ in }
  ) async throws -> FineTunedModel {
    try await run(resuming: false, handler: handler) { () throws(TrainingError) in
      // A folder that is there may be another process's; one that is made now is locked as soon as it is.
      let earlier = try RunLock(output)
      let folder = try RunFolder(at: output, replacing: isForced)
      let lock = if let earlier { earlier } else { try RunLock(output) }
      return (folder, lock)
    }
  }

  /// Checks the pictures and trains in a folder.
  ///
  /// - Parameters:
  ///   - isResumed: Whether the run that the folder holds goes on.
  ///   - open: Gives the folder and its lock, once all is checked that can be without opening a picture.
  func run(
    resuming isResumed: Bool, handler: @escaping @Sendable (TrainingEvent) -> Void,
    open: () throws(TrainingError) -> (folder: RunFolder, lock: RunLock?)
  ) async throws -> FineTunedModel {
    try schedule.validate()
    try options.validate()
    let policy = try BadFilePolicy(parsing: maximumBadFiles)
    // What can be known without opening a picture fails before anything is made.
    _ = try Split(dataset, fractions: split, seed: options.seed)
    let tasks = learntTasks
    try schedule.check(tasks: tasks.map(\.name))
    let digest = try sha256(ofFile: backbone.path)
    let model = try Model.fineTuning(
      backbone.graph, weights: backbone.weights, tasks: tasks, imageSize: imageSize, head: head, fit: fit.rawValue,
      provenance: provenance(digest), seed: options.seed)
    let headLayers = Set(model.heads.flatMap(\.layers))
    for phase in schedule.phases { _ = try phase.trainable(in: model.graph, headLayers: headLayers) }
    let (folder, lock) = try open()
    defer { withExtendedLifetime(lock) {} }
    do {
      for note in dataset.notes { handler(.note(note)) }
      let data = try trainingData(tasks: tasks, policy: policy, handler: handler)
      let run = FineTuningRun(
        configuration(tasks: tasks, digest: digest, isResumed: isResumed), model: model, data: data, folder: folder,
        loading: LoadingSummary(backbone.report), library: featureFolder.map { FeatureLibrary(folder: $0) },
        handler: handler, readCheckpoint: Self.readCheckpoint)
      let result = try await EngineActor.run { () throws in try run.run(resuming: isResumed) }
      return FineTunedModel(model: try Model.read(folder[.model]), result: result, folder: folder)
    } catch {
      // A run that never began leaves nothing behind; a folder with anything in it stays.
      rmdir(folder.path)
      throw error
    }
  }

  /// Reads a checkpoint in a process of its own: the folder of a run may be a stranger's like any other file.
  @Sendable private static func readCheckpoint(_ path: String) throws -> Checkpoint.Contents {
    let file = try ArrayFile(readingFrom: path, attribute: "state", mode: .isolated)
    return Checkpoint.Contents(text: file.text, arrays: file.arrays)
  }

  /// What is learnt: the tasks that were set, or every task of the data set with the weighting, loss and smoothing.
  var learntTasks: [TaskDescription] {
    if let tasks { return tasks }
    return dataset.tasks.map {
      TaskDescription($0, labelSmoothing: labelSmoothing, loss: loss, classWeighting: classWeighting)
    }
  }

  func trainingData(
    tasks: [TaskDescription], policy: BadFilePolicy, handler: (TrainingEvent) -> Void
  ) throws -> TrainingData {
    let decoder = PictureDecoder(width: imageSize.width, height: imageSize.height, fit: fit)
    let cache = PictureCache(decoder)
    let check = try PictureCheck(PictureLoader(dataset, decoder: decoder, cache: cache), policy: policy)
    for failure in check.failures { handler(.note("left out: \(failure)")) }
    let division = try Split(check.dataset, fractions: split, seed: options.seed)
    return try TrainingData(
      PictureLoader(check.dataset, decoder: decoder, cache: cache), split: division, tasks: tasks,
      augmentation: augmentation, variantCount: options.augmentationVariants, seed: options.seed)
  }

  private func provenance(_ digest: String) -> ModelDocument.Provenance {
    // Where a file lay says nothing about it to whoever gets the model.
    let name = backbone.model?.name ?? URL(fileURLWithPath: backbone.path).lastPathComponent
    return ModelDocument.Provenance(
      backbone: name, backboneSHA256: digest, licence: backbone.model?.licence,
      schedule: schedule.phases.map { "\($0.name): \($0.train)" }.joined(separator: "; "),
      dataset: dataset.fingerprint, seed: options.seed)
  }

  /// Everything that has been decided.
  ///
  /// Paths are whole, so that the run goes on from every folder; one that goes on keeps those that it began with.
  private func configuration(tasks: [TaskDescription], digest: String, isResumed: Bool) -> RunConfiguration {
    let source = isResumed || backbone.model != nil ? backbone.name : backbone.path.wholePath
    var result = RunConfiguration(
      data: RunConfiguration.Data(
        path: isResumed ? dataPath : dataPath.wholePath, fingerprint: dataset.fingerprint, split: split, fit: fit,
        maximumBadFiles: maximumBadFiles, augmentation: augmentation),
      backbone: RunConfiguration.Backbone(
        source: source, sha256: digest, imageSize: imageSize.height, dropout: head.dropoutRate),
      tasks: tasks, schedule: schedule, options: options)
    result.backbone.cutAt = backbone.cutLayer
    result.backbone.loading = RunConfiguration.Loading(backbone.loading)
    result.record = record
    return result
  }
}

extension String {
  /// The path from the root of the file system on.
  fileprivate var wholePath: String {
    hasPrefix("/") ? self : "\(FileManager.default.currentDirectoryPath)/\(hasPrefix("./") ? dropFirst(2) : self[...])"
  }
}
