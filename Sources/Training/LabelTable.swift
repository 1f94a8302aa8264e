import Tasks

/// The label of every sample in every task: a class, or −1 where it is missing.
package struct LabelTable: Hashable, Sendable {
  /// The tasks, in the order of the model's outputs.
  package let tasks: [TaskDescription]
  /// The labels of each task, one a sample.
  package let labels: [[Int32]]

  /// Labels of samples, each with one a task; nil where it is missing.
  ///
  /// - Throws: ``TrainingError`` with code `tasksDiffer` for a sample with another number of labels, or a label that is
  ///   none of the task's classes.
  package init(tasks: [TaskDescription], samples: [[Int?]]) throws(TrainingError) {
    self.tasks = tasks
    var labels = tasks.map { _ in [Int32](repeating: -1, count: samples.count) }
    for (sample, row) in samples.enumerated() {
      guard row.count == tasks.count else {
        throw TrainingError(
          .tasksDiffer, subject: "sample \(sample)", detail: "expected \(tasks.count) labels, found \(row.count)")
      }
      for (task, label) in row.enumerated() {
        guard let label else { continue }
        guard tasks[task].classes.indices.contains(label) else {
          throw TrainingError(
            .tasksDiffer, subject: "sample \(sample)",
            detail: "label \(label) of \(tasks[task].name) is none of its \(tasks[task].classes.count) classes")
        }
        labels[task][sample] = Int32(label)
      }
    }
    self.labels = labels
  }

  /// The number of samples.
  package var sampleCount: Int { labels.first?.count ?? 0 }

  /// How many of the given samples carry each class of a task.
  package func classCounts(task: Int, among samples: [Int]) -> [Int] {
    var counts = [Int](repeating: 0, count: tasks[task].outputCount)
    for sample in samples where labels[task][sample] >= 0 { counts[Int(labels[task][sample])] += 1 }
    return counts
  }
}
