/// How often each class was taken for each.
public struct ConfusionMatrix: Hashable, Sendable {
  /// The number of classes K.
  public let classCount: Int
  /// K rows, one for each true class, of K counts, one for each predicted class.
  public private(set) var counts: [Int]

  /// A matrix of zeros.
  public init(classCount: Int) {
    self.classCount = classCount
    counts = Array(repeating: 0, count: classCount * classCount)
  }

  /// How often samples of one class were taken for another.
  public subscript(label: Int, predicted: Int) -> Int {
    get { counts[label * classCount + predicted] }
    set { counts[label * classCount + predicted] = newValue }
  }

  /// Counts a batch; the largest logit is the prediction, of equal ones the first, and samples with label −1 are left out.
  ///
  /// ## Shapes
  /// - logits, or probabilities: `[N, K]`
  /// - labels: `[N]`
  public mutating func add(logits: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Int32>) {
    precondition(logits.count == labels.count * classCount, "every sample has a logit for each class")
    for row in labels.indices where labels[row] >= 0 {
      let start = row * classCount
      var predicted = 0
      for k in 1..<classCount where logits[start + k] > logits[start + predicted] { predicted = k }
      self[Int(labels[row]), predicted] += 1
    }
  }

  /// Adds the counts of other samples.
  public static func += (left: inout ConfusionMatrix, right: ConfusionMatrix) {
    precondition(left.classCount == right.classCount, "both matrices have the same classes")
    for index in left.counts.indices { left.counts[index] += right.counts[index] }
  }
}

// MARK: - What follows from the counts

extension ConfusionMatrix {
  /// The number of samples.
  public var sampleCount: Int { counts.reduce(0, +) }

  /// The share of samples whose class was found; zero without samples.
  public var accuracy: Double {
    let total = sampleCount
    let right = (0..<classCount).reduce(0) { $0 + self[$1, $1] }
    return total > 0 ? Double(right) / Double(total) : 0
  }

  /// How many samples of a class there are.
  public func support(of label: Int) -> Int { (0..<classCount).reduce(0) { $0 + self[label, $1] } }

  /// The share of a class's samples that were found; nil without samples.
  public func recall(of label: Int) -> Double? { ratio(self[label, label], support(of: label)) }

  /// The share of a class's predictions that were right; nil where it was never predicted.
  public func precision(of label: Int) -> Double? {
    ratio(self[label, label], (0..<classCount).reduce(0) { $0 + self[$1, label] })
  }

  /// 2·hits / (samples + predictions) of a class, the harmonic mean of recall and precision; nil where it neither
  /// occurs nor is predicted.
  public func f1(of label: Int) -> Double? {
    let predicted = (0..<classCount).reduce(0) { $0 + self[$1, label] }
    return ratio(2 * self[label, label], support(of: label) + predicted)
  }

  /// The mean F1 over the classes that occur or are predicted.
  public var macroF1: Double {
    let values = (0..<classCount).compactMap(f1)
    return values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
  }

  /// The true and the predicted class of the most frequent mistake, of equally frequent ones the first; nil without
  /// mistakes.
  public var worstPair: (label: Int, predicted: Int)? {
    var worst: (label: Int, predicted: Int)?
    var most = 0
    for label in 0..<classCount {
      for predicted in 0..<classCount where label != predicted && self[label, predicted] > most {
        most = self[label, predicted]
        worst = (label, predicted)
      }
    }
    return worst
  }

  private func ratio(_ part: Int, _ whole: Int) -> Double? { whole > 0 ? Double(part) / Double(whole) : nil }
}
