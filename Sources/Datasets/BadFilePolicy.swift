/// How many pictures may turn out unreadable before a data set is refused.
public enum BadFilePolicy: Hashable, Sendable {
  /// A share of all pictures, and at least one.
  case share(Double)
  /// A number of pictures.
  case count(Int)

  /// One in a hundred, at least one.
  public static let standard = BadFilePolicy.share(0.01)

  /// A policy written as a number of files, `3`, or a share, `2%`.
  ///
  /// - Throws: ``DatasetError`` with ``DatasetError/Code/option`` for anything else.
  public init(parsing text: String) throws(DatasetError) {
    if let count = Int(text), count >= 0 {
      self = .count(count)
    } else if text.hasSuffix("%"), let percent = Double(String(text.dropLast())), 0...100 ~= percent {
      self = .share(percent / 100)
    } else {
      throw DatasetError(
        .option, "max-bad-files", "expected a number such as 3 or a share such as 2%, found \"\(text)\"")
    }
  }

  /// The number of bad files that are put up with among `count` pictures.
  public func limit(of count: Int) -> Int {
    switch self {
    case .share(let share): max(1, Int(share * Double(count)))
    case .count(let limit): limit
    }
  }
}
