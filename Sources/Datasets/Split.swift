/// Which samples of a data set train, decide and test: positions in its list of samples, in rising order.
public struct Split: Hashable, Sendable {
  /// The samples whose labels train the model.
  public let training: [Int]
  /// The samples that decide when to stop and which weights are kept.
  public let validation: [Int]
  /// The samples that are looked at once, at the end; may be empty.
  public let test: [Int]

  /// The samples of one part.
  public subscript(part: SplitPart) -> [Int] {
    switch part {
    case .training: training
    case .validation: validation
    case .test: test
    }
  }

  /// Divides a data set.
  ///
  /// Where the data set says itself what is for what, that stands; if it names no validation samples, they are cut from
  /// those for training, and a test part is never made up. Otherwise the samples are divided at random so that every
  /// class of every task is spread in the same proportion (see ``Stratification``).
  ///
  /// - Throws: ``DatasetError`` with ``DatasetError/Code/split`` where a class has a single picture, or none to train on.
  public init(
    _ dataset: Dataset, fractions: SplitFractions = .standard, seed: UInt64
  ) throws(DatasetError) {
    if dataset.samples.isEmpty { throw DatasetError(.split, dataset.root, "there are no pictures to divide") }
    let given = dataset.samples.contains { $0.part != nil }
    var parts = dataset.samples.map { given ? $0.part ?? .training : .training }
    if !given || !parts.contains(.validation) {
      let pool = parts.indices.filter { parts[$0] == .training }
      try Split.requireDivisible(dataset, pool: pool)
      let shares: [Double] =
        given
        ? [fractions.training, fractions.validation].map { $0 / (fractions.training + fractions.validation) }
        : [fractions.training, fractions.validation, fractions.test]
      let division = Stratification(dataset, pool: pool, shares: shares, seed: seed)
      for (sample, place) in zip(pool, division.places) { parts[sample] = SplitPart.allCases[place] }
    }
    training = parts.indices.filter { parts[$0] == .training }
    validation = parts.indices.filter { parts[$0] == .validation }
    test = parts.indices.filter { parts[$0] == .test }
    try requireEveryClassInTraining(dataset)
  }

  private static func requireDivisible(_ dataset: Dataset, pool: [Int]) throws(DatasetError) {
    for (position, task) in dataset.tasks.enumerated() {
      var counts = [Int](repeating: 0, count: task.classes.count)
      for sample in pool {
        if let label = dataset.samples[sample].labels[position] { counts[label] += 1 }
      }
      for (name, count) in zip(task.classes, counts) where count < 2 {
        throw DatasetError(
          .split, dataset.subject(of: name, in: task),
          "expected at least two pictures, one to train and one to validate, found \(count)")
      }
    }
  }

  private func requireEveryClassInTraining(_ dataset: Dataset) throws(DatasetError) {
    for (position, task) in dataset.tasks.enumerated() {
      var seen = [Bool](repeating: false, count: task.classes.count)
      for sample in training {
        if let label = dataset.samples[sample].labels[position] { seen[label] = true }
      }
      if let missing = seen.firstIndex(of: false) {
        throw DatasetError(
          .split, dataset.subject(of: task.classes[missing], in: task), "no picture of it is left to train on")
      }
    }
  }
}

extension Dataset {
  fileprivate func subject(of name: String, in task: LabelSet) -> String {
    tasks.count == 1 ? "class \"\(name)\"" : "class \"\(name)\" of \(task.name)"
  }
}
