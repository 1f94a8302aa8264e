/// Why a schedule, or a part of it, cannot be what was asked for.
public struct ScheduleError: Error, Hashable, Sendable {
  /// The kind of failure, for programs.
  public enum Code: String, Hashable, Sendable {
    /// A name belongs to no layer, stage, task, preset or option.
    case unknownName
    /// A selection picks no parameter that could train.
    case emptySelection
    /// A text that is no selection.
    case syntax
    /// A number outside its range, or two options that contradict each other.
    case invalidOption
  }

  /// The kind of failure.
  public var code: Code
  /// The selection, phase or option that the failure is about.
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

extension ScheduleError {
  /// The same failure, told of what holds its subject: `phase tune: selection stage:a: there is no stage a`.
  func inside(_ whole: String) -> ScheduleError { ScheduleError(code, subject: whole, detail: description) }
}

extension ScheduleError: CustomStringConvertible {
  /// One sentence for a person.
  public var description: String { "\(subject): \(detail)" }
}
