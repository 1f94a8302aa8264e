import Datasets

/// What is known of labelled pictures before any of them is decoded.
public struct DataFacts: Hashable, Sendable, CustomStringConvertible {
  /// How many pictures train.
  public var trainingCount: Int
  /// How many pictures validate.
  public var validationCount: Int
  /// How many classes the task with the most of them has.
  public var classCount: Int
  /// How many training pictures the rarest class of any task has.
  public var smallestClass: Int
  /// How many training pictures the most frequent class of any task has.
  public var largestClass: Int
  /// The usual length of a picture's longer side in pixels; nil where no picture can be read.
  public var pictureSide: Int?

  /// What somebody knows.
  public init(
    trainingCount: Int, validationCount: Int, classCount: Int, smallestClass: Int, largestClass: Int,
    pictureSide: Int? = nil
  ) {
    self.trainingCount = trainingCount
    self.validationCount = validationCount
    self.classCount = classCount
    self.smallestClass = smallestClass
    self.largestClass = largestClass
    self.pictureSide = pictureSide
  }

  /// What a data set and its division say; the headers of some pictures are read.
  public init(_ dataset: Dataset, split: Split) {
    var counts: [[Int]] = dataset.tasks.map { Array(repeating: 0, count: $0.classes.count) }
    for sample in split.training {
      for (task, label) in dataset.samples[sample].labels.enumerated() {
        if let label { counts[task][label] += 1 }
      }
    }
    let all = counts.flatMap { $0 }
    self.init(
      trainingCount: split.training.count, validationCount: split.validation.count,
      classCount: counts.map(\.count).max() ?? 0, smallestClass: all.min() ?? 0, largestClass: all.max() ?? 0,
      pictureSide: dataset.typicalPictureSide())
  }

  /// The facts in a few words.
  public var description: String {
    let spread = smallestClass == largestClass ? "\(smallestClass)" : "\(smallestClass) to \(largestClass)"
    let size = pictureSide.map { ", about \($0) pixels long" } ?? ""
    return "\(trainingCount) pictures to train on in \(classCount) classes of \(spread)\(size)"
  }
}
