/// How a picture of any shape is brought to the size that a model takes.
///
/// Part of the model file, so that a model is always shown pictures as it was trained on them.
public enum Fit: String, Hashable, Sendable, Codable, CaseIterable {
  /// Scaled until it covers the size, then cut around the centre.
  case crop
  /// Scaled to the size, its proportions given up.
  case squash
  /// Scaled until it is inside of the size, with white beside or above and below it.
  case pad

  /// The fit of the given name.
  ///
  /// - Throws: ``DatasetError`` with ``DatasetError/Code/option`` for another name.
  public init(named name: String) throws(DatasetError) {
    guard let fit = Fit(rawValue: name) else {
      let names = Fit.allCases.map(\.rawValue).joined(separator: ", ")
      throw DatasetError(.option, "fit", "expected one of \(names), found \"\(name)\"")
    }
    self = fit
  }
}
