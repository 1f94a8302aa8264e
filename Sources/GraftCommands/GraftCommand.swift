import ArgumentParser
import Foundation
import Graft

/// The command `graft` with all its subcommands.
package struct GraftCommand: AsyncParsableCommand {
  /// Name, help and subcommands.
  package static let configuration = CommandConfiguration(
    commandName: "graft",
    abstract: "Fine-tunes pretrained convolutional networks on your own pictures.",
    discussion: """
      Load, freeze and fine-tune, export:

        graft train --data pictures --output runs/first
        graft predict runs/first/model.keras photo.jpg
        graft export runs/first/model.keras --format h5 --output model.h5

      Results go to standard output, progress to standard error. Exit status: 0 done, 1 the work failed, 2 wrong usage.
      """,
    version: graftVersion,
    subcommands: [
      ModelsCommand.self, InspectCommand.self, ScheduleCommand.self, FindRateCommand.self, TrainCommand.self,
      EvaluateCommand.self, PredictCommand.self, ApplyCommand.self, ExportCommand.self, VerifyCommand.self,
      BenchCommand.self,
    ])

  /// A command that says how it is used.
  package init() {}
}

extension GraftCommand {
  /// Runs the command with the process's arguments, and ends the process.
  package static func start() async -> Never {
    ThreadWaiting.shorten()
    // A reader that goes away early, such as `head`, ends the command quietly.
    signal(SIGPIPE, SIG_DFL)
    let status = await run(Array(CommandLine.arguments.dropFirst()))
    guard fflush(nil) == 0 || status != 0 else {
      Console.failure("standard output: cannot be written: \(String(cString: strerror(errno)))")
      Foundation.exit(ExitStatus.failed.rawValue)
    }
    Foundation.exit(status.rawValue)
  }

  /// Runs the command with the given arguments.
  package static func run(_ arguments: [String]) async -> ExitStatus {
    var command: any ParsableCommand
    do {
      command = try parseAsRoot(arguments)
    } catch {
      return report(error)
    }
    do {
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      return .done
    } catch {
      return report(error)
    }
  }

  /// Says what went wrong, or the help that was asked for.
  private static func report(_ error: any Error) -> ExitStatus {
    if let failure = error as? CommandFailure {
      if let message = failure.message { Console.failure(message) }
      return failure.status
    }
    switch exitCode(for: error) {
    case .success:
      print(fullMessage(for: error))
      return .done
    case .validationFailure:
      Console.usage(fullMessage(for: error))
      return .wrongUsage
    default:
      Console.failure(sentence(for: error))
      return .failed
    }
  }

  /// What an error says: the modules' errors describe themselves in one sentence, those of the system have a text.
  private static func sentence(for error: any Error) -> String {
    let isOfSystem = error is CocoaError || error is POSIXError || type(of: error) is NSError.Type
    let text = isOfSystem ? error.localizedDescription : "\(error)"
    return text.split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}

/// How the process ends.
package enum ExitStatus: Int32, Sendable {
  /// Everything was done.
  case done = 0
  /// The work failed.
  case failed = 1
  /// The command was called wrongly.
  case wrongUsage = 2
  /// Ctrl-C ended the work.
  case interrupted = 130
  /// Another process asked the work to end.
  case terminated = 143
}

extension ExitStatus {
  fileprivate static func != (left: ExitStatus, right: Int32) -> Bool { left.rawValue != right }
}

/// Why a command cannot do its work, where no module knows.
struct CommandFailure: Error {
  /// One sentence; nil where everything has been said already.
  var message: String?
  /// How the process ends.
  var status = ExitStatus.failed

  /// A failure with one sentence about it.
  init(_ message: String?, status: ExitStatus = .failed) {
    self.message = message
    self.status = status
  }
}
