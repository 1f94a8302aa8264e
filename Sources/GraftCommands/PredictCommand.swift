import ArgumentParser
import Graft

/// `graft predict`: what a model says about pictures.
struct PredictCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Ask a model about pictures.",
    discussion: """
      Example:
        graft predict runs/first/model.keras photo.jpg --top 3
      """)

  @Argument(help: "A model's file, or the name of a pretrained network.")
  var model: String

  @Argument(help: "The pictures.")
  var image: [String]

  @Option(help: "How many classes to name for each picture and task.")
  var top = 1

  @OptionGroup var trust: TrustOption

  @Flag(help: "Print one JSON document.")
  var json = false

  func validate() throws {
    try requireName("<model>", model)
    try requireRange("top", top, 1...100_000)
    if image.isEmpty { throw ValidationError("name at least one picture") }
  }

  func run() async throws {
    let model = try Model.open(model, mode: trust.mode)
    // A picture that cannot be read is named, and the others are answered all the same.
    let (predictions, failures) = try await model.predictReadable(image, top: top)
    if json {
      try Console.json(predictions)
    } else {
      let taskCount = model.tasks.count
      for prediction in predictions {
        let answers = prediction.top.map { "\($0.name) \(Double($0.probability).asPercent)" }.joined(separator: ", ")
        Console.result("\(prediction.file): \(taskCount == 1 ? "" : "\(prediction.task): ")\(answers)")
      }
    }
    for failure in failures { Console.failure(failure.description) }
    if !failures.isEmpty { throw CommandFailure(nil) }
  }
}
