/// Why a task, or a list of tasks, cannot be what was asked for.
public struct TaskError: Error, Hashable, Sendable {
  /// The kind of failure, for programs.
  public enum Code: String, Hashable, Sendable {
    /// A model without tasks.
    case noTasks
    /// Two tasks or two classes have one name, or one has none.
    case unfitName
    /// A classification with fewer than two classes.
    case tooFewClasses
    /// A number outside its range.
    case invalidOption
    /// A kind of task that this version does not know.
    case unknownKind
  }

  /// The kind of failure.
  public var code: Code
  /// The task that the failure is about.
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

extension TaskError: CustomStringConvertible {
  /// One sentence for a person.
  public var description: String { "\(subject): \(detail)" }
}
