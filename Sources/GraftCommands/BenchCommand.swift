import ArgumentParser
import Graft

/// `graft bench`: how fast a network trains or answers here.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure images per second, the primitives' own limit, and peak memory.",
    discussion: """
      A step is what one optimizer step costs: forward, backward to the parameters that train, and the update; with \
      --train none it is inference. Nothing is cached: the frozen part runs at each step. A family without a file gets \
      generated weights.

      --train takes none, head (the classifier), last-stage (everything after the last fall in resolution), all, or a \
      selection as in "graft inspect --select".

      Example:
        graft bench mobilenetv2 --train last-stage --batch-size 16
      """)

  @Argument(help: "A model's file, the name of a pretrained network, or that of a family.")
  var model: String

  @Option(help: "What trains.", transform: { try BenchSelection($0) })
  var train = BenchSelection.all

  @Option(help: "Where batch normalisation that trains takes its statistics from.")
  var batchNorm = BatchNormalizationArgument.frozen

  @Option(help: "The pictures of a step.")
  var batchSize = 16

  @Option(help: "Height and width of the pictures; the network's own unless given.")
  var imageSize: Int?

  @Option(help: ArgumentHelp("The last layer of the trunk, before a new head.", valueName: "layer"))
  var cutAt: String?

  @Option(help: "How many pictures are computed at once; measured unless given.")
  var microBatchSize: Int?

  @Option(help: "The numbers that images are computed with.")
  var precision = BenchPrecisionArgument.f32

  @Option(help: "How many threads compute; 0 leaves it to the system.")
  var threads = 0

  @OptionGroup(title: "Loading options")
  var loading: LoadingArguments

  @Option(
    help: ArgumentHelp(
      "The most memory that the plan may take, such as 300M; activations that find no room are computed again.",
      valueName: "bytes"), transform: { try ByteCount(parsing: $0) })
  var memoryBudget: ByteCount?

  @Option(
    help: ArgumentHelp(
      "What the plan leaves undone, with commas: \(PlanPasses.known).",
      valueName: "passes"),
    transform: { try PlanPasses($0) })
  var planWithout = PlanPasses.none

  @Flag(
    help: """
      Measure one step for each line on standard input, so that another program can be measured in turn; each step's \
      milliseconds are printed at once, the report at the end of the input.
      """)
  var inTurns = false

  @Flag(help: "Also print every operation of the plan, with what does its work and how long it takes.")
  var table = false

  @OptionGroup var trust: TrustOption

  @Flag(help: "Print one JSON document.")
  var json = false

  @Flag(help: "Measure instead how long it takes to load the file, beside a plain read of its bytes.")
  var load = false

  func validate() throws {
    try requireName("<model>", model)
    try requireName("--cut-at", cutAt)
    if load, !loading.given.isEmpty || cutAt != nil || trust.trust {
      let given = loading.given + (cutAt == nil ? [] : ["--cut-at"]) + (trust.trust ? ["--trust"] : [])
      throw ValidationError("--load reads the whole file in both ways: leave out \(given.joined(separator: ", "))")
    }
    try requireRange("batch-size", batchSize, 1...4096)
    try requireRange("image-size", imageSize, 8...4096)
    try requireRange("micro-batch-size", microBatchSize, 1...batchSize)
    try requireRange("threads", threads, 0...4096)
  }

  func run() async throws {
    if load {
      let report = try LoadBench(model)
      if json { try Console.json(report) } else { report.lines.forEach(Console.result) }
      return
    }
    if precision == .bf16, let note = PrecisionArgument.bf16.note { Console.note(note) }
    let subject = try BenchSubject(
      model, imageSize: imageSize.map { Size2D($0) }, cutAt: cutAt, loading: loading, mode: trust.mode)
    for note in subject.notes { Console.note(note) }
    let workload = try BenchWorkload(
      subject, selection: train, batchSize: batchSize, microBatchSize: microBatchSize,
      batchNormalization: batchNorm.mode, precision: precision.mode,
      without: planWithout.passes, memoryBudget: memoryBudget?.bytes)
    let (threads, wantsOperations, takesTurns) = (threads, table, inTurns)
    let report = try await EngineActor.run { () throws in
      let threadCount = EngineThreads.choose(threads)
      return try Bench(workload, threadCount: threadCount).run(
        listingOperations: wantsOperations, turns: takesTurns ? Self.askForTurn : nil)
    }
    if json {
      try Console.json(report)
    } else {
      lines(of: report).forEach(Console.result)
    }
  }

  /// Prints how long the last step took, and waits for the next line of standard input.
  private static func askForTurn(after milliseconds: Double?) -> Bool {
    if let milliseconds { Console.immediateResult("\(milliseconds)") }
    return readLine() != nil
  }

  private func lines(of report: BenchReport) -> [String] {
    let limit = report.limitMilliseconds
    var lines = [
      "images per second     \(report.imagesPerSecond.formatted(digits: 1))",
      "step                  \(report.stepMilliseconds.formatted(digits: 1)) ms for \(report.batchSize) pictures",
      "primitives alone      \(limit.formatted(digits: 1)) ms, "
        + "\((limit / report.stepMilliseconds).asPercent) of the step",
      "building the plan     \(report.planMilliseconds.formatted(digits: 0)) ms",
      "computed at once      \(report.microBatchSize) pictures"
        + (report.frozenMicroBatchSize.map { ", \($0) of them by what is frozen" } ?? ""),
      "trainable parameters  \(report.trainableParameters.grouped)",
      "memory of the plan    \(report.arenaBytes.asMebibytes)"
        + (report.segments > 1 ? ", all but the last of \(report.segments) segments computed twice" : ""),
      "peak memory           \(report.peakResidentBytes.asMebibytes)",
      "precision, threads    \(report.precision), \(report.threads)",
    ]
    guard let operations = report.operations else { return lines }
    var table = TextTable([
      ("operation", .left), ("pass", .left), ("by", .left), ("time", .right), ("alone", .right), ("GFLOP/s", .right),
      ("MB", .right), ("makes", .left), ("layout", .left),
    ])
    for operation in operations {
      let rate = Double(operation.operationCount) / operation.milliseconds * 1e-6
      table.add([
        operation.name, operation.isBackward ? "backward" : "forward", operation.implementation,
        operation.milliseconds.formatted(digits: 3) + " ms",
        operation.limitMilliseconds.map { $0.formatted(digits: 3) + " ms" } ?? "",
        operation.operationCount > 0 ? rate.formatted(digits: 0) : "",
        (Double(operation.byteCount) / 1e6).formatted(digits: 1),
        operation.dimensions.map(String.init).joined(separator: "x"), operation.layout,
      ])
    }
    let frozen = report.frozenMicroBatchSize.map { ", \($0) where it is frozen" } ?? ""
    lines += ["", "every operation for \(report.microBatchSize) pictures\(frozen):"] + table.lines
    return lines
  }
}

/// What plans leave undone, as it is written on a command line.
struct PlanPasses: Hashable, Sendable {
  /// Everything is done.
  static let none = PlanPasses(passes: [])

  /// What is not done.
  let passes: Set<PlanOptions.Pass>

  private init(passes: Set<PlanOptions.Pass>) { self.passes = passes }

  /// The names of all passes, with commas.
  static let known = PlanOptions.Pass.allCases.map(\.rawValue).joined(separator: ", ")

  /// A list with commas.
  ///
  /// - Throws: `ValidationError` for a word that is no pass.
  init(_ text: String) throws {
    passes = Set(
      try text.split(separator: ",").map { word throws in
        guard let pass = PlanOptions.Pass(rawValue: String(word)) else {
          throw ValidationError("\"\(word)\" is no pass of a plan: expected some of \(PlanPasses.known)")
        }
        return pass
      })
  }
}

/// What a measurement computes images with.
enum BenchPrecisionArgument: String, ExpressibleByArgument, CaseIterable {
  case f32
  case bf16

  var mode: PlanOptions.Precision { self == .f32 ? .f32 : .bf16 }
}

/// Where batch normalisation that trains takes its statistics from.
enum BatchNormalizationArgument: String, ExpressibleByArgument, CaseIterable {
  case frozen
  case training

  var mode: PlanOptions.BatchNormalizationMode { self == .frozen ? .frozenStatistics : .trainingStatistics }
}
