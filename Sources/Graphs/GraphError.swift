/// Why a graph cannot be what was asked for.
public struct GraphError: Error, Hashable, Sendable {
  /// The kind of failure, for programs.
  public enum Code: String, Hashable, Sendable {
    /// A layer cannot take inputs of these shapes or this number.
    case unfitInput
    /// A hyper-parameter is outside its range.
    case invalidOption
    /// A name is used twice.
    case duplicateName
    /// A name belongs to nothing in the graph.
    case unknownName
    /// A parameter has no value, or one of another shape.
    case unfitParameter
  }

  /// The kind of failure.
  public var code: Code
  /// The layer, stage or parameter that the failure is about.
  public var subject: String
  /// What was expected and what was found, in one clause.
  public var detail: String

  /// A failure of the given kind.
  public init(_ code: Code, subject: String, detail: String) {
    self.code = code
    self.subject = subject
    self.detail = detail
  }
}

extension GraphError: CustomStringConvertible {
  /// One sentence for a person.
  public var description: String { "\(subject): \(detail)" }
}
