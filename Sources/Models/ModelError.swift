/// Why a model cannot be made, read or written.
public struct ModelError: Error, Hashable, Sendable {
  /// The kind of failure, for programs.
  public enum Code: String, Hashable, Sendable {
    /// The backbone has no place for a head.
    case noTrunk
    /// The backbone cannot take pictures of this size.
    case unfitSize
    /// The tasks cannot be learnt as they are.
    case unfitTasks
    /// What the file says about itself does not fit its network.
    case unfitDocument
    /// The file was written by a newer version.
    case newerVersion
  }

  /// The kind of failure.
  public var code: Code
  /// The file, model or task that the failure is about.
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

extension ModelError: CustomStringConvertible {
  /// One sentence for a person.
  public var description: String { "\(subject): \(detail)" }
}
