/// Why a run could not begin or go on.
public struct TrainingError: Error, Hashable, Sendable {
  /// The kind of failure, for programs.
  public enum Code: String, Hashable, Sendable {
    /// The run folder is there already.
    case outputExists
    /// The run folder, or a file in it, cannot be written.
    case outputUnwritable
    /// There are no samples to train on, or none to validate with.
    case noSamples
    /// The tasks of the data are not those of the model.
    case tasksDiffer
    /// A number outside its range.
    case invalidOption
    /// The loss is no number any more.
    case diverged
    /// A checkpoint is not that of this run, network or version.
    case unfitCheckpoint
    /// A checkpoint is not what was written.
    case damagedCheckpoint
    /// A folder that is to go on holds no run.
    case noRun
    /// Another process works on the run.
    case runInUse
    /// What a run began with is not what is there now.
    case runChanged
  }

  /// The kind of failure.
  public var code: Code
  /// The file, phase, task or option that the failure is about.
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

extension TrainingError: CustomStringConvertible {
  /// One sentence for a person.
  public var description: String { "\(subject): \(detail)" }
}
