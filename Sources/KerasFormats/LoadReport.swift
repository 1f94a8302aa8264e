import Graphs
import Tensors

/// What became of the weights of a file and of the parameters of a graph.
public struct LoadReport: Hashable, Sendable {
  /// A parameter whose array in the file has another shape.
  public struct Mismatch: Hashable, Sendable {
    /// The parameter.
    public var path: ParameterPath
    /// The shape that the graph asks for.
    public var expected: Shape
    /// The shape that the file has.
    public var found: Shape
  }

  /// How layers of the file and of the graph found each other.
  public enum Matching: String, Hashable, Sendable {
    /// By their names.
    case names
    /// By Keras's order of layers, every shape being equal.
    case order
  }

  /// How layers found each other.
  public var matching: Matching = .names
  /// Parameters that got their values.
  public var matched: [ParameterPath] = []
  /// Parameters for which the file has nothing.
  public var missing: [ParameterPath] = []
  /// Arrays of the file that belong to no parameter.
  public var unused: [String] = []
  /// Parameters for which the file has an array of another shape.
  public var mismatched: [Mismatch] = []
  /// What is odd without being an error, each in one sentence.
  public var warnings: [String] = []

  /// A report of nothing.
  public init() {}

  /// Whether every parameter got its value and every array found its place.
  public var isComplete: Bool { missing.isEmpty && unused.isEmpty && mismatched.isEmpty }
}

/// What a load may leave undone; without any of these it is strict.
public struct LoadOptions: OptionSet, Hashable, Sendable {
  /// The options as bits.
  public var rawValue: Int

  /// Options from their bits.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// Parameters may be missing in the file; they get no value.
  public static let allowMissing = LoadOptions(rawValue: 1)
  /// The file may hold arrays that belong to no parameter.
  public static let allowUnused = LoadOptions(rawValue: 2)
  /// Arrays of other shapes are passed over; their parameters get no value.
  public static let skipMismatched = LoadOptions(rawValue: 4)
  /// Layers are matched by name alone, never by order.
  public static let byName = LoadOptions(rawValue: 8)

  /// Everything must fit.
  public static let strict: LoadOptions = []
  /// Take what fits by name and leave the rest; the report says what that was.
  public static let partial: LoadOptions = [.allowMissing, .allowUnused, .skipMismatched, .byName]
}

extension LoadReport {
  /// Refuses a load that left something undone that it may not leave.
  ///
  /// - Throws: ``WeightError`` with `unfitWeights`, naming the first of each kind.
  func check(against options: LoadOptions, hasParameters: Bool) throws(WeightError) {
    if matched.isEmpty && hasParameters {
      let example = missing.first.map { "\($0)" } ?? mismatched.first.map { "\($0.path)" }
      let found = unused.isEmpty ? "holds no weights" : "holds \(Self.list(unused))"
      throw WeightError(
        .unfitWeights,
        detail: "has no weights for this network: \(example ?? "a parameter") is expected, but the file \(found)")
    }
    var clauses: [String] = []
    if !missing.isEmpty && !options.contains(.allowMissing) {
      clauses.append("nothing for \(Self.list(missing.map(\.description)))")
    }
    if !mismatched.isEmpty && !options.contains(.skipMismatched) {
      let words = mismatched.map { "\($0.path) (expected \($0.expected), found \($0.found))" }
      clauses.append("another shape for \(Self.list(words))")
    }
    if !unused.isEmpty && !options.contains(.allowUnused) {
      clauses.append("no place in the network for \(Self.list(unused))")
    }
    guard clauses.isEmpty else {
      throw WeightError(.unfitWeights, detail: "does not fit the network: it has \(clauses.joined(separator: ", "))")
    }
  }

  /// The first names, and how many there are beyond them.
  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(3).joined(separator: ", ")
    return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
  }
}
