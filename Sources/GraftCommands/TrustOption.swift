import ArgumentParser
import Graft

/// `--trust`, for every command that reads a file of somebody else.
struct TrustOption: ParsableArguments {
  @Flag(help: "Read the file in this process, without a reader that has no rights: for files that you made yourself.")
  var trust = false

  /// How the file is read.
  var mode: ReadingMode { trust ? .inProcess : .isolated }
}
