import ArgumentParser
import Foundation
import Graft

/// `graft export`: writes a model in another form.
struct ExportCommand: ParsableCommand {
  /// The forms that can be written.
  enum Form: String, ExpressibleByArgument, CaseIterable {
    case h5
    case keras

    var format: KerasFormat { self == .h5 ? .wholeModelH5 : .keras }
  }

  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a model as a file that stock Keras 3 opens.",
    discussion: """
      Example:
        graft export runs/first/model.keras --format h5 --output model.h5
      """)

  @Argument(help: "A model's file, or the name of a pretrained network.")
  var model: String

  @Option(help: "The form of the new file.")
  var format: Form

  @Option(help: "The new file.")
  var output: String

  @OptionGroup var trust: TrustOption

  @Flag(help: "Replace a file that is there.")
  var force = false

  func validate() throws {
    try requireName("<model>", model)
    try requireName("--output", output)
  }

  func run() throws {
    let model = try Model.open(model, mode: trust.mode)
    guard force || !FileManager.default.fileExists(atPath: output) else {
      throw CommandFailure("\(output): is there already; name another file, or add --force")
    }
    try model.write(to: output, format: format.format)
    Console.result(output)
  }
}
