import ArgumentParser
import Graft

/// `graft find-rate`: which learning rates are too small, which too large.
struct FindRateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "find-rate",
    abstract: "Find a learning rate by training with rates that rise from step to step.",
    discussion: """
      The learning rate range test: the suggestion is where the loss falls fastest. What trains, and by which rule, is \
      that of a phase of the schedule, the first unless another is named; the head is a fresh one. What is not given, a \
      recipe chooses as for "graft train": give both the same options. Nothing is kept.

      Example:
        graft find-rate --data pictures --output rates.svg
        graft train --data pictures --learning-rate 2e-3 --output runs/first
      """)

  @Option(help: ArgumentHelp("The folder of class folders, or the CSV manifest.", valueName: "dir|csv"))
  var data: String

  @Option(
    help: ArgumentHelp(
      "The name of a pretrained network, or a weight file; efficientnet-lite0 unless given.", valueName: "name|file"))
  var backbone = "efficientnet-lite0"

  @Option(
    help: ArgumentHelp(
      "The last layer of the backbone that is kept; by default what stands before its classifier.", valueName: "layer"))
  var cutAt: String?

  @Option(help: "How much training does for the last percents; balanced unless given.")
  var recipe: Recipe?

  @Option(
    help: ArgumentHelp(
      "A ready-made schedule, or a file with one; the recipe's choice unless given.", valueName: "name|yaml"),
    transform: { try ScheduleArgument(parsing: $0) })
  var schedule: ScheduleArgument?

  @Option(help: ArgumentHelp("The phase of the schedule that is tried; the first unless given.", valueName: "name"))
  var phase: String?

  @Option(help: "The rate of the first step.")
  var lowest = 1e-6

  @Option(help: "The rate of the last step.")
  var highest = 1.0

  @Option(help: "The number of steps.")
  var steps = 100

  @Option(help: ArgumentHelp("Where the plot goes, as SVG.", valueName: "svg"))
  var output: String?

  @Option(help: "The rule, instead of the phase's.")
  var optimizer: OptimizerArgument?

  @Option(help: "The pictures of one optimizer step; the recipe's choice unless given.")
  var batchSize: Int?

  @Option(help: "Height and width of the pictures that go in; the recipe's choice unless given.")
  var imageSize: Int?

  @Option(help: "How pictures are brought to that size: cut, squashed, or laid on white; pad unless given.")
  var fit: Fit?

  @Option(help: "How training pictures are varied; the recipe's choice unless given.")
  var augment: AugmentationArgument?

  @Option(help: "How much the pictures of each class count; none weighs them alike; the recipe's choice unless given.")
  var classWeights: ClassWeightsArgument?

  @Option(
    help: ArgumentHelp(
      "How wrong an answer counts; cross-entropy unless given.", valueName: "cross-entropy|focal|focal:gamma"),
    transform: { try TaskDescription.Loss(parsing: $0) })
  var loss: TaskDescription.Loss?

  @Option(help: "The share of each target that is spread evenly over all classes; the recipe's choice unless given.")
  var labelSmoothing: Float?

  @Option(help: "The numbers that images are computed with; auto unless given.")
  var precision: PrecisionArgument?

  @Option(help: "How many threads compute; 0 leaves it to the system.")
  var threads = 0

  @Option(help: "What every random draw comes from.")
  var seed: UInt64 = 1

  @OptionGroup(title: "Loading options")
  var loading: LoadingArguments

  @OptionGroup var trust: TrustOption

  @Flag(help: "Replace a file that is there.")
  var force = false

  @Flag(help: "Print the steps and the suggestion as one JSON document.")
  var json = false

  func validate() throws {
    try requireName("--data", data)
    try requireName("--backbone", backbone)
    try requireName("--output", output)
    try requireName("--cut-at", cutAt)
    try requireRange("batch-size", batchSize, 1...65536)
    try requireRange("image-size", imageSize, 8...4096)
    try requireRange("threads", threads, 0...4096)
    if let labelSmoothing, !(labelSmoothing >= 0 && labelSmoothing < 1) {
      throw ValidationError("--label-smoothing must be at least 0 and below 1, but is \(labelSmoothing)")
    }
    do {
      try RateRange(lowest: lowest, highest: highest, stepCount: steps).validate()
    } catch {
      throw ValidationError("\(error)")
    }
  }

  func run() async throws {
    let file = try output.map { try OutputFile($0, replacing: force) }
    let (tuning, explanation) = try fineTuning()
    Console.note(tuning.backbone.report)
    Console.note(explanation)
    let index = try place(of: phase, in: tuning.schedule)
    let top = highest
    let isWatched = Console.isWatched
    let search = try await tuning.findRate(
      ofPhase: index, over: RateRange(lowest: lowest, highest: highest, stepCount: steps),
      handler: { event in if case .note(let text) = event { Console.note(text) } },
      progress: { step in
        if isWatched {
          Console.overwrite("rate \(RatePlot.rounded(step.learningRate)), up to \(RatePlot.rounded(top))")
        }
      })
    if isWatched { Console.overwrite("") }
    if json { try Console.json(search) } else { Console.result(sentence(search)) }
    guard let file else { return }
    // What was found has been said, whatever becomes of the plot.
    let title = "\(tuning.backbone.name), phase \(search.phase): loss over learning rate"
    try file.write(RatePlot(search, title: title).svg)
    if !json { Console.result("plot: \(file.path)") }
  }

  /// The run that the options describe, as `graft train` would make it, and what the recipe has chosen for it.
  private func fineTuning() throws -> (tuning: FineTuning, explanation: String) {
    if let note = precision?.note { Console.note(note) }
    let rule = try optimizer.map { try OptimizerDescription(named: $0.rawValue) }
    var written: Schedule?
    if case .file(let path) = schedule { written = try Schedule(contentsOf: path) }
    let pictures = try Dataset.read(at: data)
    let trunk = try Backbone.load(
      backbone, family: loading.namedFamily, cutAt: cutAt, options: loading.options, mode: trust.mode)
    let options = TrainingOptions(precision: (precision ?? .auto).forTraining, seed: seed, threads: threads)
    var tuning = FineTuning(trunk, on: pictures, options: options)
    let choices = try tuning.follow(recipe ?? .balanced)
    if case .preset(let preset) = schedule { tuning.schedule = preset.schedule(for: trunk.graph) }
    if let written { tuning.schedule = written }
    tuning.schedule = try tuning.schedule.adjusted(optimizer: rule)
    if let batchSize { tuning.options.batchSize = batchSize }
    if let imageSize { tuning.imageSize = Size2D(imageSize) }
    if let fit { tuning.fit = fit }
    if let augment { tuning.augmentation = try Augmentation(named: augment.rawValue) }
    if let classWeights { tuning.classWeighting = classWeights.weighting }
    if let loss { tuning.loss = loss }
    if let labelSmoothing { tuning.labelSmoothing = labelSmoothing }
    tuning.featureFolder = FineTuning.usualFeatureFolder
    return (tuning, choices.explanation(without: overruled))
  }

  /// What the recipe has no say in.
  private var overruled: Set<RecipeChoices.Choice> {
    let given: [(RecipeChoices.Choice, Bool)] = [
      (.schedule, schedule != nil || optimizer != nil), (.refit, true), (.batchSize, batchSize != nil),
      (.imageSize, imageSize != nil), (.augmentation, augment != nil), (.labelSmoothing, labelSmoothing != nil),
      (.classWeighting, classWeights != nil),
    ]
    return Set(given.filter(\.1).map(\.0))
  }

  private func place(of name: String?, in schedule: Schedule) throws -> Int {
    guard let name else { return 0 }
    guard let index = schedule.phases.firstIndex(where: { $0.name == name }) else {
      throw CommandFailure(
        "--phase: expected one of \(schedule.phases.map(\.name).joined(separator: ", ")), found \(name)")
    }
    return index
  }

  private func sentence(_ search: RateSearch) -> String {
    let tried = "\(search.steps.count) steps of phase \(search.phase)"
    guard let rate = search.suggestion else {
      return "no rate to suggest: in \(tried) the loss never fell; try another range with --lowest and --highest"
    }
    let end = search.hasDiverged ? "; it diverged at \(RatePlot.rounded(search.steps.last?.learningRate ?? rate))" : ""
    return "learning rate \(RatePlot.rounded(rate)): there the loss fell fastest in \(tried)\(end)"
  }
}
