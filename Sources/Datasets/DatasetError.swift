/// What is wrong with a data set, one of its pictures, or how it is to be split.
///
/// Its description is one sentence that names the file or folder, what was expected and what was found.
public struct DatasetError: Error, Hashable, Sendable {
  /// The kinds of failure that a caller may want to tell apart.
  public enum Code: String, Hashable, Sendable {
    /// A file or folder that was named is not there, or is not of the kind that was asked for.
    case notFound
    /// A folder or manifest is there, but does not have the form of a data set.
    case layout
    /// A line of a manifest breaks the rules of CSV or of manifests.
    case manifest
    /// A picture cannot be decoded.
    case picture
    /// More pictures than allowed cannot be decoded.
    case tooManyBadFiles
    /// The samples cannot be divided into training, validation and test.
    case split
    /// An option has a value that does not exist.
    case option
  }

  /// The kind of failure.
  public let code: Code
  /// The file, folder, class or option that it is about.
  public let subject: String
  /// What was expected and what was found, as the rest of a sentence that the subject begins.
  public let detail: String

  /// A failure of the given kind.
  public init(_ code: Code, _ subject: String, _ detail: String) {
    self.code = code
    self.subject = subject
    self.detail = detail
  }
}

extension DatasetError: CustomStringConvertible {
  /// Subject and detail as one sentence without its full stop.
  public var description: String { "\(subject): \(detail)" }
}
