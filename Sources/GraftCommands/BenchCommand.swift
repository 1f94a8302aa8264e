import ArgumentParser
import Graft

/// `graft bench`: how fast a network trains or answers here.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure images per second, the primitives' own limit, and peak memory.",
    discussion: """
      A step is what one optimizer step costs: forward, backward to the parameters that train, and the update; with
      --train none it is inference. Nothing is cached: the frozen part runs at each step. A family without a file gets
      generated weights.

      --train takes none, head (the classifier), last-stage (everything after the last fall in resolution), all, or a
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

  @Option(help: "How many pictures are computed at once; measured unless given.")
  var microBatchSize: Int?

  @Option(help: "The numbers that are computed with; auto is f32.")
  var precision = PrecisionArgument.auto

  @Option(help: "How many threads compute; 0 leaves it to the system.")
  var threads = 0

  @Flag(help: "Measure none, head, last-stage and all, one after the other.")
  var table = false

  @Flag(help: "Print one JSON document; with --table a list.")
  var json = false

  func validate() throws {
    try requireRange("batch-size", batchSize, 1...4096)
    try requireRange("image-size", imageSize, 8...4096)
    try requireRange("micro-batch-size", microBatchSize, 1...batchSize)
    try requireRange("threads", threads, 0...4096)
  }

  func run() async throws {
    _ = try precision.resolved()
    let subject = try BenchSubject(model, imageSize: imageSize.map { Size2D($0) })
    for note in subject.notes { Console.note(note) }
    let selections = table ? BenchSelection.tabulated : [train]
    var reports: [BenchReport] = []
    for selection in selections {
      let workload = try BenchWorkload(
        subject, selection: selection, batchSize: batchSize, microBatchSize: microBatchSize,
        batchNormalization: batchNorm.mode)
      let threads = threads
      let report = try await EngineActor.run { () throws in
        let threadCount = EngineThreads.use(threads)
        return try Bench(workload, threadCount: threadCount).run()
      }
      reports.append(report)
      if selections.count > 1 { Console.note("\(selection): \(report.imagesPerSecond.formatted(digits: 1)) images/s") }
    }
    if json {
      if table { try Console.json(reports) } else { try Console.json(reports[0]) }
    } else {
      lines(of: reports).forEach(Console.result)
    }
  }

  private func lines(of reports: [BenchReport]) -> [String] {
    var table = TextTable([
      ("train", .left), ("parameters", .right), ("images/s", .right), ("step", .right), ("limit", .right),
      ("micro-batch", .right), ("arena", .right), ("peak memory", .right),
    ])
    for report in reports {
      table.add([
        report.train, report.trainableParameters.grouped, report.imagesPerSecond.formatted(digits: 1),
        report.stepMilliseconds.formatted(digits: 1) + " ms",
        report.limitMilliseconds.map { $0.formatted(digits: 1) + " ms" } ?? "-", "\(report.microBatchSize)",
        report.arenaBytes.asMebibytes, report.peakResidentBytes.asMebibytes,
      ])
    }
    let first = reports[0]
    return ["\(model), batches of \(first.batchSize), \(first.precision), \(first.threads) threads"] + table.lines
  }
}

/// Where batch normalisation that trains takes its statistics from.
enum BatchNormalizationArgument: String, ExpressibleByArgument, CaseIterable {
  case frozen
  case training

  var mode: PlanOptions.BatchNormalizationMode { self == .frozen ? .frozenStatistics : .trainingStatistics }
}
