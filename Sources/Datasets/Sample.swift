/// One picture of a data set with its labels.
public struct Sample: Hashable, Sendable {
  /// The picture's path, relative to the data set's folder, or as the manifest has it.
  public let path: String
  /// The label in every task, in the order of the data set's tasks; nil where it is missing.
  public let labels: [Int?]
  /// The part of the split that the data set itself puts the sample in, if it does.
  public let part: SplitPart?
  /// The file's size in bytes; nil where the file cannot be looked at.
  public let byteCount: Int?

  /// A sample with the given labels.
  public init(path: String, labels: [Int?], part: SplitPart? = nil, byteCount: Int? = nil) {
    self.path = path
    self.labels = labels
    self.part = part
    self.byteCount = byteCount
  }
}

/// What a sample is used for.
public enum SplitPart: String, Hashable, Sendable, Codable, CaseIterable {
  /// Its labels train the model.
  case training
  /// It decides when to stop and which weights are kept.
  case validation
  /// It is looked at once, at the end.
  case test

  /// The part that a folder or a manifest's cell names: `train`, `val`, `valid`, `validation` or `test`, in any case.
  init?(found name: String) {
    switch name.lowercased() {
    case "train", "training": self = .training
    case "val", "valid", "validation": self = .validation
    case "test", "testing": self = .test
    default: return nil
    }
  }
}
