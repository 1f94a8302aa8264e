/// Why a network cannot be run.
public struct EngineError: Error, Hashable, Sendable {
  /// The kind of failure, for programs.
  public enum Code: String, Hashable, Sendable {
    /// A layer is of a kind, or has an option, that the engine does not compute.
    case unsupportedLayer
    /// A parameter has no value or one of another shape.
    case unfitParameter
    /// oneDNN refused a primitive.
    case primitive
    /// The plan needs more memory than there is.
    case memory
  }

  /// The kind of failure.
  public var code: Code
  /// The layer or parameter that the failure is about.
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

extension EngineError: CustomStringConvertible {
  /// One sentence for a person.
  public var description: String { "\(subject): \(detail)" }
}
