import KerasFormats

/// What became of the weights of a file, for JSON: how many parameters got their values, and everything else by name.
public struct LoadingSummary: Hashable, Sendable, Codable {
  /// A parameter for which the file has another shape.
  public struct Mismatch: Hashable, Sendable, Codable {
    /// The parameter.
    public var parameter: String
    /// The shape that the network asks for.
    public var expected: [Int]
    /// The shape that the file has.
    public var found: [Int]
  }

  /// How layers of the file and of the network found each other: `names`, `order` or `shapes`.
  public var matching: String
  /// How many parameters got their values.
  public var matched: Int
  /// The parameters for which the file has nothing.
  public var missing: [String]
  /// The arrays of the file that belong to no parameter.
  public var unused: [String]
  /// The parameters for which the file has other shapes.
  public var mismatched: [Mismatch]
  /// What the file holds beside weights and was not read.
  public var ignored: [String]
  /// What is odd without being an error, each in one sentence.
  public var warnings: [String]

  /// The summary of a report.
  public init(_ report: LoadReport) {
    matching = report.matching.rawValue
    matched = report.matched.count
    missing = report.missing.map(\.description)
    unused = report.unused
    mismatched = report.mismatched.map {
      Mismatch(parameter: $0.path.description, expected: $0.expected.dimensions, found: $0.found.dimensions)
    }
    ignored = report.ignored
    warnings = report.warnings
  }
}
