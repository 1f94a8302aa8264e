import Datasets
import Tasks

extension LabelTable {
  /// The labels of a data set's samples as a model counts its classes: tasks and classes find each other by name.
  ///
  /// One task alone finds another alone whatever they are called. A task of the model for which the data has no labels
  /// has none.
  ///
  /// - Throws: ``TrainingError`` with code `tasksDiffer` where no task is common to both, or the data has a class that the
  ///   model does not know.
  package init(_ dataset: Dataset, tasks: [TaskDescription]) throws(TrainingError) {
    let areAlone = tasks.count == 1 && dataset.tasks.count == 1
    let sources = tasks.map { task in
      areAlone ? 0 : dataset.tasks.firstIndex { $0.name == task.name }
    }
    guard sources.contains(where: { $0 != nil }) else {
      throw TrainingError(
        .tasksDiffer, subject: dataset.root,
        detail: "expected labels of \(tasks.map(\.name).joined(separator: ", ")), found "
          + dataset.tasks.map(\.name).joined(separator: ", "))
    }
    var translations: [[Int]] = []
    for (task, source) in zip(tasks, sources) {
      guard let source else {
        translations.append([])
        continue
      }
      let numbers = Dictionary(uniqueKeysWithValues: task.classes.enumerated().map { ($1, $0) })
      var translation: [Int] = []
      for name in dataset.tasks[source].classes {
        guard let number = numbers[name] else {
          let known = task.classes.prefix(12).joined(separator: ", ") + (task.classes.count > 12 ? " …" : "")
          throw TrainingError(
            .tasksDiffer, subject: dataset.root,
            detail: "class \"\(name)\" is none of the model's \(task.classes.count): \(known)")
        }
        translation.append(number)
      }
      translations.append(translation)
    }
    try self.init(
      tasks: tasks,
      samples: dataset.samples.map { sample in
        zip(sources, translations).map { source, translation in
          source.flatMap { sample.labels[$0] }.map { translation[$0] }
        }
      })
  }
}

extension TaskDescription {
  /// The classification that a data set's labels ask for.
  package init(
    _ labels: LabelSet, weight: Float = 1, labelSmoothing: Float = 0, loss: Loss = .crossEntropy,
    classWeighting: ClassWeighting = .none
  ) {
    self.init(
      name: labels.name, kind: .classification(classes: labels.classes), weight: weight,
      labelSmoothing: labelSmoothing, loss: loss, classWeighting: classWeighting)
  }
}
