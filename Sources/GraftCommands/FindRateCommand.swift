import ArgumentParser
import Foundation
import Graft

/// `graft find-rate`: which learning rates are too small, which too large.
struct FindRateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "find-rate",
    abstract: "Find a learning rate by training with rates that rise from step to step.",
    discussion: """
      The learning rate range test: the suggestion is where the loss falls fastest. What trains, and by which rule, is \
      that of a phase of the schedule, the first unless another is named; the head is a fresh one. Nothing is kept.

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
      "A ready-made schedule, or a file with one; probe-then-tune unless given.", valueName: "name|yaml"),
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

  @Option(help: "The pictures of one optimizer step.")
  var batchSize = 16

  @Option(help: "Height and width of the pictures that go in; the backbone's own unless given.")
  var imageSize: Int?

  @Option(help: "How training pictures are varied; flip unless given.")
  var augment: AugmentationArgument?

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
    try requireRange("batch-size", batchSize, 1...65536)
    try requireRange("image-size", imageSize, 8...4096)
    try requireRange("threads", threads, 0...4096)
    do {
      try RateRange(lowest: lowest, highest: highest, stepCount: steps).validate()
    } catch {
      throw ValidationError("\(error)")
    }
  }

  func run() async throws {
    if let output, !force, FileManager.default.fileExists(atPath: output) {
      throw CommandFailure("\(output): is there already; name another file, or add --force")
    }
    let pictures = try Dataset.read(at: data)
    let trunk = try Backbone.load(backbone, family: loading.namedFamily, options: loading.options, mode: trust.mode)
    let rule = try optimizer.map { try OptimizerDescription(named: $0.rawValue) }
    let plan: Schedule =
      switch schedule {
      case .file(let path): try Schedule(contentsOf: path)
      case .preset(let preset): preset.schedule(for: trunk.graph)
      case nil: .probeThenTune
      }
    var tuning = FineTuning(
      trunk, on: pictures, schedule: try plan.adjusted(optimizer: rule),
      options: TrainingOptions(batchSize: batchSize, seed: seed, threads: threads))
    if let imageSize { tuning.imageSize = Size2D(imageSize) }
    if let augment { tuning.augmentation = try Augmentation(named: augment.rawValue) }
    tuning.featureFolder = FineTuning.usualFeatureFolder
    Console.note(tuning.backbone.report)
    let index = try place(of: phase, in: plan)
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
    if let output {
      let title = "\(trunk.name), phase \(search.phase): loss over learning rate"
      try write(RatePlot(search, title: title).svg, to: output)
    }
    if json { return try Console.json(search) }
    Console.result(sentence(search))
    if let output { Console.result("plot: \(output)") }
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

  private func write(_ text: String, to path: String) throws {
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw CommandFailure("\(path): cannot be written: \(error.localizedDescription)")
    }
  }
}
