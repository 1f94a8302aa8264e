/// Why a backbone cannot be had.
public struct BackboneError: Error, Hashable, Sendable {
  /// The kind of failure, for programs.
  public enum Code: String, Hashable, Sendable {
    /// No family, no pretrained model and no file has this name.
    case unknownName
    /// A family cannot be built with these options.
    case invalidOption
    /// A manifest cannot be read.
    case unreadableManifest
    /// A weight file is not the one that its manifest describes.
    case damagedFile
    /// A weight file cannot be read, or has other weights than its network needs.
    case unfitFile
  }

  /// The kind of failure.
  public var code: Code
  /// The family, model or file that the failure is about.
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

extension BackboneError: CustomStringConvertible {
  /// One sentence for a person.
  public var description: String { "\(subject): \(detail)" }
}
