/// How much of a data set goes into each part, as shares of one.
public struct SplitFractions: Hashable, Sendable, Codable {
  /// The share that trains.
  public let training: Double
  /// The share that decides when to stop.
  public let validation: Double
  /// The share that is looked at once, at the end.
  public let test: Double

  /// 70, 15 and 15 of a hundred.
  public static let standard = SplitFractions(training: 0.7, validation: 0.15, test: 0.15)

  private init(training: Double, validation: Double, test: Double) {
    self.training = training
    self.validation = validation
    self.test = test
  }

  /// Shares written as weights for training, validation and test with strokes between them: `70/15/15`, `8/1/1`.
  ///
  /// - Throws: ``DatasetError`` with ``DatasetError/Code/option`` unless there are three numbers of which the first two
  ///   are above zero and none is below.
  public init(parsing text: String) throws(DatasetError) {
    let cells = text.split(separator: "/", omittingEmptySubsequences: false).map { Double(String($0)) }
    let weights = cells.compactMap { $0 }.filter { $0.isFinite && $0 >= 0 && $0 <= 1e9 }
    guard cells.count == 3, weights.count == 3, weights[0] > 0, weights[1] > 0 else {
      throw DatasetError(
        .option, "split",
        "expected training/validation/test such as 70/15/15, the first two above zero, found \"\(text)\"")
    }
    let sum = weights[0] + weights[1] + weights[2]
    self.init(training: weights[0] / sum, validation: weights[1] / sum, test: weights[2] / sum)
  }
}
