import ArgumentParser
import Graft

/// `graft verify`: whether a model still computes what its file promises.
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Replay the sample that a model carries, and compare.",
    discussion: """
      Every model that Graft trains carries the seed of an input and the outputs for it. They must come out again up to \
      1e-4 of the largest.

      Example:
        graft verify runs/first/model.keras
      """)

  @Argument(help: "A model's file.")
  var model: String

  @OptionGroup var trust: TrustOption

  @Flag(help: "Print one JSON document.")
  var json = false

  func validate() throws {
    try requireName("<model>", model)
  }

  func run() async throws {
    let opened = try Model.open(model, mode: trust.mode)
    guard let report = try await EngineActor.run({ () throws in try opened.parityReport() }) else {
      throw CommandFailure("\(model): carries no sample to replay; only models that were trained with Graft do")
    }
    guard report.isKept else {
      throw CommandFailure(
        "\(model): the outputs of its sample are off by \(report.deviation), more than 1e-4 of \(report.largest)")
    }
    if json {
      try Console.json(report)
    } else {
      Console.result("\(model): the sample's outputs are kept, the largest deviation is \(report.deviation)")
    }
  }
}
