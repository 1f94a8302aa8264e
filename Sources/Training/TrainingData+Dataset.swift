import Datasets
import Tasks

extension TrainingData {
  /// A data set's files, divided.
  ///
  /// - Parameters:
  ///   - loader: Decodes the data set's pictures to the model's size.
  ///   - tasks: What the model answers.
  ///   - augmentation: How training pictures are varied.
  ///   - variantCount: How many variations each picture has; nil for another in every epoch.
  ///   - seed: What the variations are drawn from.
  /// - Throws: ``TrainingError`` with code `tasksDiffer` or `noSamples`.
  package init(
    _ loader: PictureLoader, split: Split, tasks: [TaskDescription], augmentation: Datasets.Augmentation = .none,
    variantCount: Int? = nil, seed: UInt64
  ) throws(TrainingError) {
    // Mirroring by halves has two forms a picture, which can be kept; whatever else is drawn only if it is counted.
    let form: Augmentation =
      switch augmentation {
      case .none: .none
      case .flip: .flip
      default: variantCount.map { .variants($0) } ?? .unlimited
      }
    try self.init(
      pictures: DatasetPictures(loader, augmentation: augmentation, seed: seed),
      labels: try LabelTable(loader.dataset, tasks: tasks), training: split.training, validation: split.validation,
      test: split.test, augmentation: form)
  }
}
