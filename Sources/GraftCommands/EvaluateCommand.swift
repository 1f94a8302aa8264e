import ArgumentParser
import Graft

/// `graft evaluate`: how much of labelled pictures a model gets right.
struct EvaluateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure a model on labelled pictures.",
    discussion: """
      Where the data names a part for testing, that part is measured, and all pictures otherwise.

      Example:
        graft evaluate runs/first/model.keras --data more-pictures
      """)

  @Argument(help: "A model's file.")
  var model: String

  @Option(help: ArgumentHelp("The folder of class folders, or the CSV manifest.", valueName: "dir|csv"))
  var data: String

  @Option(
    help: "How many pictures may be unreadable: a number, or a share such as 2%; at least 1.",
    transform: { try BadFilePolicy(parsing: $0) })
  var maxBadFiles = BadFilePolicy.standard

  @OptionGroup var trust: TrustOption

  @Flag(help: "Print one JSON document.")
  var json = false

  func validate() throws {
    try requireName("<model>", model)
    try requireName("--data", data)
  }

  func run() async throws {
    let pictures = try Dataset.read(at: data)
    let model = try Model.open(model, mode: trust.mode)
    if model.document?.provenance?.dataset == pictures.fingerprint {
      Console.note("the model was trained on a part of these pictures, so the result flatters it")
    }
    pictures.notes.forEach(Console.note)
    let evaluation = try await model.evaluate(on: pictures, badFiles: maxBadFiles)
    for sentence in evaluation.leftOut { Console.note("left out: \(sentence)") }
    if json {
      try Console.json(evaluation.tasks)
      return
    }
    for (task, metrics) in evaluation.tasks.sorted(by: { $0.key < $1.key }) {
      Console.result(MetricLines.accuracy(task, metrics))
      if let line = MetricLines.worstPair(metrics) { Console.result(line) }
      var table = TextTable([("", .left), ("pictures", .right), ("recall", .right), ("precision", .right)])
      for label in metrics.classes {
        table.add([
          label.name, "\(label.count)", label.recall?.asPercent ?? "-", label.precision?.asPercent ?? "-",
        ])
      }
      table.lines.forEach(Console.result)
    }
  }
}
