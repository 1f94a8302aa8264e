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

    /// A parameter with two shapes.
    public init(path: ParameterPath, expected: Shape, found: Shape) {
      self.path = path
      self.expected = expected
      self.found = found
    }
  }

  /// How layers of the file and of the graph found each other.
  public enum Matching: String, Hashable, Sendable, Codable {
    /// By their names.
    case names
    /// By Keras's order of layers, every shape being equal.
    case order
    /// By the shapes of their arrays, equal ones in the order of the file.
    case shapes
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
  /// What the file holds beside weights and is never read, such as the state of an optimizer.
  public var ignored: [String] = []
  /// What is odd without being an error, each in one sentence.
  public var warnings: [String] = []

  /// A report of nothing.
  public init() {}

  /// Whether every parameter got its value and every array found its place.
  public var isComplete: Bool { missing.isEmpty && unused.isEmpty && mismatched.isEmpty }
}

extension LoadReport {
  /// The report in lines for people: the counts, then whatever was left undone, by name, then the warnings.
  ///
  /// - Parameter count: How many names a line shows.
  public func lines(showing count: Int = 8) -> [String] {
    let total = matched.count + missing.count + mismatched.count
    let way =
      switch matching {
      case .names: "by name"
      case .order: "by the order of layers"
      case .shapes: "by shape"
      }
    var lines = ["\(matched.count) of \(total) parameters found their arrays \(way)"]
    func add(_ word: String, _ names: [String]) {
      if !names.isEmpty { lines.append("\(names.count) \(word): \(Self.list(names, showing: count))") }
    }
    add("missing in the file", missing.map(\.description))
    add("of other shapes", mismatched.map { "\($0.path) (expected \($0.expected), found \($0.found))" })
    add("unused in the file", unused)
    add("not read", ignored)
    return lines + warnings
  }

  /// The first names, and how many there are beyond them.
  static func list(_ names: [String], showing count: Int = 3) -> String {
    let shown = names.prefix(count).joined(separator: ", ")
    return names.count > count ? "\(shown) and \(names.count - count) more" : shown
  }
}
