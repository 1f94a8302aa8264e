import ArgumentParser
import Graft

/// `graft inspect`: what is in a file, without running it.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show a file's family, preprocessing, stages and layers; nothing is run.",
    discussion: """
      Where the weights do not fill the network as the loading options ask, that is said at the end, with exit status 1.

      A selection says what would train: all, none, head, trunk, bias, normalization, stage:NAME, stages:last N, \
      stages:NAME..NAME, layer:NAME, layer:/PATTERN/, layers:last N, from:LAYER, parameter:/PATTERN/ and kind:NAME, joined \
      from left to right by " + ", " - " and " & ", with parentheses where needed.

      Example:
        graft inspect pretrained/efficientnet-lite0.h5 --select "head + stages:last 2 - kind:batch_normalization"
      """)

  @Argument(help: "A .h5, .weights.h5 or .keras file, or the name of a pretrained network.")
  var file: String

  @Option(help: "Also say which parameters a selection picks.", transform: { try ParameterSelection($0) })
  var select: ParameterSelection?

  @OptionGroup(title: "Loading options")
  var loading: LoadingArguments

  @OptionGroup var trust: TrustOption

  @Option(help: ArgumentHelp("Where the trunk would end: its last layer.", valueName: "layer"))
  var cutAt: String?

  @Flag(help: "Print one JSON document.")
  var json = false

  func validate() throws {
    try requireName("<file>", file)
    try requireName("--cut-at", cutAt)
  }

  func run() throws {
    let found = try Inspection(of: file, cutAt: cutAt, loading: loading, mode: trust.mode)
    Console.note(found.report)
    let chosen = try select.map { try InspectedSelection($0, in: found.graph, headLayers: found.headLayers) }
    if json {
      try Console.json(InspectionDocument(found, selection: chosen))
    } else {
      found.lines(selection: chosen).forEach(Console.result)
    }
    // The description stands; that the file could not be loaded so is a failure all the same.
    if let failure = found.failure { throw failure }
  }
}
