import ArgumentParser
import Graft

/// How the arrays of a weight file find their places; the same options in every command that reads a foreign file.
///
/// Without any of them everything must fit.
struct LoadingArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The family that the weights belong to, where the file does not hold a network of it.", valueName: "name"))
  var family: String?

  @Flag(help: "Match weights by layer names alone; what only the file or only the network has is passed over.")
  var byName = false

  @Flag(help: "Match weights by Keras's order of layers alone.")
  var topological = false

  @Flag(help: "Match weights by their shapes, for models of a class of their own; needs --family.")
  var byShape = false

  @Flag(help: "Pass over weights of other shapes.")
  var skipMismatch = false

  @Option(
    name: .customLong("map"),
    help: ArgumentHelp(
      "Read a custom layer class as the known one of which it is only another name; may be given several times.",
      valueName: "custom=known"))
  var renamedClasses: [String] = []

  @Flag(help: "The file does not say so, but Theano trained it: turn its kernels by 180 degrees.")
  var theanoKernels = false

  func validate() throws {
    let ways = [(byName, "--by-name"), (topological, "--topological"), (byShape, "--by-shape")].filter(\.0).map(\.1)
    guard ways.count < 2 else { throw ValidationError("\(ways.joined(separator: " and ")) exclude each other") }
    guard !byShape || family != nil else {
      throw ValidationError("--by-shape needs --family: the network whose layers are looked for in the file")
    }
    if let family, BackboneFamily.named(family) == nil {
      let near = BackboneFamily.all.map(\.name).nearest(to: family, count: 5).joined(separator: ", ")
      throw ValidationError("--family: there is no family \(family); the nearest are \(near)")
    }
    var known: Set<String> = []
    for text in renamedClasses {
      guard let (custom, _) = Self.halves(of: text) else {
        throw ValidationError("--map takes Custom=Known, but was given \(text)")
      }
      guard known.insert(custom).inserted else { throw ValidationError("--map says twice what \(custom) is") }
    }
  }

  /// What a library call takes.
  var options: LoadOptions {
    var options = LoadOptions.strict
    if byName { options = .byName }
    if topological { options = .topological }
    if byShape { options = .byShape }
    if skipMismatch { options.tolerance.insert(.mismatched) }
    if theanoKernels { options.kernelOrientation = .convolution }
    for (custom, known) in renamedClasses.compactMap(Self.halves) { options.knownClasses[custom] = known }
    return options
  }

  /// The options that were given, by name.
  var given: [String] {
    [
      (family != nil, "--family"), (byName, "--by-name"), (topological, "--topological"), (byShape, "--by-shape"),
      (skipMismatch, "--skip-mismatch"), (!renamedClasses.isEmpty, "--map"), (theanoKernels, "--theano-kernels"),
    ].filter(\.0).map(\.1)
  }

  /// The family that was named.
  var namedFamily: BackboneFamily? { family.flatMap(BackboneFamily.named) }

  private static func halves(of text: String) -> (custom: String, known: String)? {
    guard let equals = text.lastIndex(of: "="), equals != text.startIndex, text.index(after: equals) != text.endIndex
    else { return nil }
    return (String(text[..<equals]), String(text[text.index(after: equals)...]))
  }
}

extension Console {
  /// Prints what became of the weights of a file.
  static func note(_ report: LoadReport) {
    for line in report.lines() { note(line) }
  }
}
