/// What is reported about a classification on a set of samples.
public struct ClassificationMetrics: Hashable, Sendable, Codable {
  /// What is reported about one class.
  public struct ClassMetrics: Hashable, Sendable, Codable {
    /// The class's name.
    public var name: String
    /// How many samples it has.
    public var count: Int
    /// The share of its samples that were found.
    public var recall: Double?
    /// The share of its predictions that were right.
    public var precision: Double?
    /// The harmonic mean of recall and precision.
    public var f1: Double?
  }

  /// A kind of mistake.
  public struct Confusion: Hashable, Sendable, Codable {
    /// The true class.
    public var label: String
    /// The class that it was taken for.
    public var predicted: String
    /// How often.
    public var count: Int
    /// How many samples the true class has.
    public var of: Int
  }

  /// The number of labelled samples.
  public var count: Int
  /// The mean loss.
  public var loss: Double
  /// The share of samples whose class was found.
  public var accuracy: Double
  /// The mean F1 over the classes.
  public var macroF1: Double
  /// Each class by itself, in the order of the labels.
  public var classes: [ClassMetrics]
  /// How often each true class (a row) was taken for each class (a column).
  public var confusion: [[Int]]
  /// The most frequent mistake.
  public var worstPair: Confusion?

  /// The metrics of a task from what was counted.
  public init(task: TaskDescription, loss: LossValue, confusion matrix: ConfusionMatrix) {
    precondition(matrix.classCount == task.classes.count, "the matrix has the task's classes")
    count = matrix.sampleCount
    self.loss = loss.mean
    accuracy = matrix.accuracy
    macroF1 = matrix.macroF1
    classes = task.classes.enumerated().map { label, name in
      ClassMetrics(
        name: name, count: matrix.support(of: label), recall: matrix.recall(of: label),
        precision: matrix.precision(of: label), f1: matrix.f1(of: label))
    }
    confusion = task.classes.indices.map { label in task.classes.indices.map { matrix[label, $0] } }
    worstPair = matrix.worstPair.map { pair in
      Confusion(
        label: task.classes[pair.label], predicted: task.classes[pair.predicted],
        count: matrix[pair.label, pair.predicted], of: matrix.support(of: pair.label))
    }
  }
}
