import ArgumentParser
import Foundation
import Graft

/// `graft train`: from labelled pictures to a finished model.
struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Fine-tune a pretrained network on labelled pictures.",
    discussion: """
      The pictures lie in one folder for each class, with train, val and test above them if the division is given; or a \
      CSV manifest names them: a column "path", a column for each task, and perhaps a column "split". An empty cell is a \
      missing label.

      A recipe chooses what is not given, by the number, classes and size of the pictures, and says what and why: \
      "fast" trains a head alone, "balanced" also the last stages where there \
      are pictures enough for it, "best" more of them for longer.

      The schedules: "probe-then-tune" trains the head alone to its end, then head and last stages at a low rate; "head" trains the head alone; "full" trains everything from the start; "graft schedule" lists the \
      others, and prints one as a file to edit. BatchNorm statistics stay frozen. A phase leaves the weights with the best \
      validation loss, unless its "restore" says that the last ones go on.

      Every run writes its whole configuration into run.yaml; --config runs it again.

      A run that was stopped, by Ctrl-C or by anything else, goes on with --resume, and ends with the same bits as if it \
      had not stopped.

      Example:
        graft train --data pictures --backbone efficientnet-lite0 --output runs/first
        graft train --resume runs/first
        graft train --config runs/first/run.yaml --output runs/again
      """)

  @Option(help: ArgumentHelp("The folder of class folders, or the CSV manifest.", valueName: "dir|csv"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "The run.yaml of a run that is run again; it holds every option of the run, so none can be added.",
      valueName: "run.yaml"))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "The folder of a run that goes on where it stopped; it holds every option, so none can be added but "
        + "--checkpoint-every, --trust and --json.", valueName: "run"))
  var resume: String?

  @Option(
    help: ArgumentHelp(
      "The name of a pretrained network, or a weight file; efficientnet-lite0 unless given.", valueName: "name|file"))
  var backbone: String?

  @Option(
    help: ArgumentHelp(
      "The last layer of the backbone that is kept; by default what stands before its classifier.", valueName: "layer"))
  var cutAt: String?

  @Option(help: ArgumentHelp("The folder of the run, which is made.", valueName: "run"))
  var output: String?

  @Option(help: "How much is done for the last percents; balanced unless given. What else is given overrules it.")
  var recipe: Recipe?

  @Option(
    help: ArgumentHelp("What trains when; the recipe's choice unless given.", valueName: "name|file.yaml"),
    transform: { try ScheduleArgument(parsing: $0) })
  var schedule: ScheduleArgument?

  @Option(help: "Height and width of the pictures that go in; the recipe's choice unless given.")
  var imageSize: Int?

  @Option(help: "How pictures are brought to that size: cut, squashed, or laid on white; pad unless given.")
  var fit: Fit?

  @Option(help: "The pictures of one optimizer step; the recipe's choice unless given.")
  var batchSize: Int?

  @Option(help: "How many batches make one optimizer step, by the mean of their gradients; 1 unless given.")
  var accumulate: Int?

  @Option(help: "The most epochs of every phase.")
  var epochs: Int?

  @Option(
    help: "The epochs without improvement after which a phase ends, with the weights that the schedule restores.")
  var patience: Int?

  @Option(help: "The peak rate of the first phase; the others keep their proportion to it.")
  var learningRate: Double?

  @Option(
    help: """
      The rule of every phase, at its usual rate unless --learning-rate is given; phases end with the weights that the \
      schedule restores.
      """)
  var optimizer: OptimizerArgument?

  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Train once more at the end, on the validation pictures too, for as many epochs as led to what was left."))
  var refit: Bool?

  @Option(help: "How training pictures are varied; the recipe's choice unless given.")
  var augment: AugmentationArgument?

  @Option(help: "How many augmented forms each picture has, computed once; another in every epoch unless given.")
  var augmentVariants: Int?

  @Option(
    help: "The shares for training, validation and test, where the data does not say; 70/15/15 unless given.",
    transform: { try SplitFractions(parsing: $0) })
  var split: SplitFractions?

  @Option(help: "How much the pictures of each class count; none weighs them alike; the recipe's choice unless given.")
  var classWeights: ClassWeightsArgument?

  @Option(
    help: ArgumentHelp(
      "Trains on weighted means of two pictures; the alpha of their shares, such as 0.2. None unless given.",
      discussion: "Where the trunk is frozen, its features are mixed in their place.", valueName: "alpha"))
  var mixup: Double?

  @Option(
    help: ArgumentHelp(
      "Trains on pictures with a rectangle of another one; the alpha of its area, such as 1. None unless given.",
      discussion: "With --mixup each picture is mixed in one way or the other.", valueName: "alpha"))
  var cutmix: Double?

  @Option(
    help: ArgumentHelp(
      "How wrong an answer counts; cross-entropy unless given.",
      discussion: "With focal, what is known already counts less, the more so the larger gamma; it is 2 unless given.",
      valueName: "cross-entropy|focal|focal:gamma"),
    transform: { try TaskDescription.Loss(parsing: $0) })
  var loss: TaskDescription.Loss?

  @Option(help: "The share of each target that is spread evenly over all classes; the recipe's choice unless given.")
  var labelSmoothing: Float?

  @Option(
    help: "How many pictures may be unreadable: a number, or a share such as 2%; at least 1, and 1% unless given.",
    transform: { text in
      _ = try BadFilePolicy(parsing: text)
      return text
    })
  var maxBadFiles: String?

  @Option(
    help: ArgumentHelp(
      "The numbers that images are computed with; auto, which holds unless given, is bf16 in what is frozen, where the "
        + "processor has it."))
  var precision: PrecisionArgument?

  @Option(
    help: ArgumentHelp(
      "The memory for what the frozen part puts out, such as 500M or 4G; a quarter of what there is unless given.",
      discussion: "What takes more goes to disk.", valueName: "size"),
    transform: { try ByteCount(parsing: $0) })
  var cacheBudget: ByteCount?

  @Option(
    help: ArgumentHelp(
      "Where it is kept for later runs on the same pictures; a folder among your caches unless given, or none.",
      valueName: "dir|none"))
  var featureFolder: String?

  @Option(
    help: ArgumentHelp(
      "The most memory for activations and gradients, such as 300M.",
      discussion: "A batch is computed in smaller parts for it, and then some activations twice.", valueName: "size"),
    transform: { try ByteCount(parsing: $0) })
  var memoryBudget: ByteCount?

  @Option(
    help: ArgumentHelp(
      "How often a checkpoint is written, such as 5min or 500steps; at the ends of phases and epochs and once a minute, "
        + "as long as it costs no more than a hundredth of the time, unless given.", valueName: "interval"),
    transform: { try readInterval($0) })
  var checkpointEvery: CheckpointInterval?

  @Option(help: "How many threads compute; 0 leaves it to the system, as do runs that are not told.")
  var threads: Int?

  @Option(help: "What every random draw comes from; 1 unless given.")
  var seed: UInt64?

  @OptionGroup(title: "Loading options")
  var loading: LoadingArguments

  @OptionGroup var trust: TrustOption

  @Flag(help: "Say what the run is going to take, phase by phase, without running it.")
  var dryRun = false

  @Flag(help: "Replace an older run in the output folder.")
  var force = false

  @Flag(help: "Print the result as one JSON document.")
  var json = false

  func validate() throws {
    try requireName("--data", data)
    try requireName("--config", config)
    try requireName("--backbone", backbone)
    try requireName("--output", output)
    try requireName("--resume", resume)
    try requireName("--cut-at", cutAt)
    try requireName("--feature-folder", featureFolder)
    let sources = [("--data", data), ("--config", config), ("--resume", resume)].filter { $0.1 != nil }.map(\.0)
    guard let source = sources.first else {
      throw ValidationError(
        "name the pictures with --data, the run.yaml of an earlier run with --config, or the folder of a run that goes "
          + "on with --resume")
    }
    guard sources.count == 1 else {
      throw ValidationError(
        "\(sources[1]) names the pictures already: leave out \(sources[0])")
    }
    if dryRun, resume != nil { throw ValidationError("--resume goes on with a run: leave out --dry-run") }
    guard (output == nil) == (resume != nil) || dryRun else {
      throw ValidationError(
        output == nil
          ? "name the folder of the run with --output" : "--resume names the folder already: leave out --output")
    }
    if resume != nil, force { throw ValidationError("--resume replaces nothing: leave out --force") }
    if data == nil, !given.isEmpty {
      throw ValidationError("\(source) holds every option of the run: leave out \(given.joined(separator: ", "))")
    }
    if config != nil, checkpointEvery != nil {
      throw ValidationError("--config holds every option of the run: leave out --checkpoint-every")
    }
    try requireRange("image-size", imageSize, 8...4096)
    try requireRange("batch-size", batchSize, 1...65536)
    try requireRange("accumulate", accumulate, 1...65536)
    try requireRange("epochs", epochs, 1...1_000_000)
    try requireRange("patience", patience, 1...1_000_000)
    try requireRange("threads", threads, 0...4096)
    try requireRange("augment-variants", augmentVariants, 1...100_000)
    if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
      throw ValidationError("--learning-rate must be more than 0, but is \(learningRate)")
    }
    for (option, alpha) in [("mixup", mixup), ("cutmix", cutmix)] {
      guard let alpha, !Mixing.range.contains(alpha) else { continue }
      throw ValidationError(
        "--\(option) must be from \(Mixing.range.lowerBound) to \(Mixing.range.upperBound), but is \(alpha)")
    }
    if let labelSmoothing, !(labelSmoothing >= 0 && labelSmoothing < 1) {
      throw ValidationError("--label-smoothing must be at least 0 and below 1, but is \(labelSmoothing)")
    }
  }

  /// The options that a configuration holds and that were given all the same.
  private var given: [String] {
    let options: [(String, Bool)] = [
      ("--recipe", recipe != nil),
      ("--backbone", backbone != nil), ("--cut-at", cutAt != nil), ("--schedule", schedule != nil),
      ("--image-size", imageSize != nil), ("--fit", fit != nil), ("--batch-size", batchSize != nil),
      ("--accumulate", accumulate != nil), ("--memory-budget", memoryBudget != nil),
      ("--epochs", epochs != nil), ("--patience", patience != nil), ("--learning-rate", learningRate != nil),
      ("--optimizer", optimizer != nil), ("--refit", refit != nil),
      ("--augment", augment != nil), ("--augment-variants", augmentVariants != nil),
      ("--mixup", mixup != nil), ("--cutmix", cutmix != nil),
      ("--split", split != nil), ("--class-weights", classWeights != nil), ("--loss", loss != nil),
      ("--label-smoothing", labelSmoothing != nil), ("--max-bad-files", maxBadFiles != nil),
      ("--precision", precision != nil), ("--cache-budget", cacheBudget != nil), ("--threads", threads != nil),
      ("--seed", seed != nil),
    ]
    return options.filter(\.1).map(\.0) + loading.given
  }

  func run() async throws {
    let progress = TrainingProgress(isWatched: Console.isWatched)
    let features = featureFolder == "none" ? nil : featureFolder ?? FineTuning.usualFeatureFolder
    let run: FineTunedModel
    if let resume {
      let (mode, interval) = (trust.mode, checkpointEvery)
      run = try await Interruption.mayStop(resume, progress: progress) { handler in
        try await FineTuning.resume(
          resume, mode: mode, checkpointEvery: interval, featureFolder: features, handler: handler)
      }
    } else {
      var explanation: String?
      var tuning = if let config { try again(config) } else { try first(data ?? "", explanation: &explanation) }
      tuning.featureFolder = features
      Console.note(tuning.backbone.report)
      Console.note(summary(of: tuning))
      if let explanation { Console.note(explanation) }
      if dryRun { return try await ForecastLines.show(tuning, json: json) }
      let (output, force) = (output ?? "", force)
      run = try await Interruption.mayStop(output, progress: progress) { [tuning] handler in
        try await tuning.run(output: output, replacing: force, handler: handler)
      }
    }
    if json {
      try Console.json(run.result)
    } else {
      report(run.result)
    }
  }

  private func summary(of tuning: FineTuning) -> String {
    let tasks = tuning.dataset.tasks
    let classes =
      tasks.count == 1
      ? "\(tasks[0].classes.count) classes"
      : tasks.map { "\($0.classes.count) classes of \($0.name)" }.joined(separator: ", ")
    return "\(tuning.dataset.samples.count) pictures in \(classes); \(tuning.backbone.name) at \(tuning.imageSize)"
  }

  private func frozenPart(_ phase: PhaseReport) -> String {
    guard phase.cached else { return "at each step" }
    return phase.reusedFeatures > 0 ? "from an earlier run" : "computed once"
  }

  private func report(_ result: RunResult) {
    var table = TextTable([
      ("phase", .left), ("trained", .right), ("epochs", .right), ("time", .right), ("images/s", .right),
      ("frozen part", .left),
    ])
    for phase in result.phases {
      table.add([
        phase.name, phase.trainableParameters.grouped, "\(phase.epochs)", phase.seconds.asTime,
        phase.imagesPerSecond.formatted(digits: 0), frozenPart(phase),
      ])
    }
    table.lines.forEach(Console.result)
    Console.result("")
    let isAlone = result.validation.count == 1
    for (part, metrics) in [("validation", result.validation), ("test", result.test)] {
      for (task, measured) in metrics.sorted(by: { $0.key < $1.key }) {
        Console.result(MetricLines.accuracy(isAlone ? part : "\(part) \(task)", measured))
      }
    }
    for (task, measured) in result.test.sorted(by: { $0.key < $1.key }) {
      if let line = MetricLines.worstPair(measured) { Console.result(isAlone ? line : "\(task): \(line)") }
    }
    Console.result("model: \(result.model)")
    Console.result("\(result.seconds.asTime), at most \(result.peakResidentBytes.asMebibytes) of memory")
  }
}
