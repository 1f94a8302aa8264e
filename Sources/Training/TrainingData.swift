import Datasets

/// Labelled pictures, divided: what a run trains on, decides by, and is measured on.
package struct TrainingData: Sendable {
  /// What is done to training pictures, as far as a run has to know.
  package enum Augmentation: Hashable, Sendable {
    /// Nothing: each picture has one form.
    case none
    /// Half of the pictures are mirrored, drawn anew for each epoch: each picture has two forms.
    case flip
    /// So many augmented forms of each picture, one epoch after the other and then from the first again.
    case variants(Int)
    /// More than can be counted: each picture has another form in every epoch.
    case unlimited
  }

  /// Where the pictures come from.
  package let pictures: any PictureSource
  /// The labels of every sample.
  package let labels: LabelTable
  /// The samples whose labels train the model.
  package let training: [Int]
  /// The samples that decide when to stop and which weights are kept.
  package let validation: [Int]
  /// The samples that are looked at once, at the end; may be empty.
  package let test: [Int]
  /// What is done to the training pictures.
  package let augmentation: Augmentation

  /// Divided data.
  ///
  /// - Throws: ``TrainingError`` with code `noSamples` where nothing is there to train on or to validate with.
  package init(
    pictures: any PictureSource, labels: LabelTable, training: [Int], validation: [Int], test: [Int] = [],
    augmentation: Augmentation = .none
  ) throws(TrainingError) {
    for (part, samples) in [("training", training), ("validation", validation)] where samples.isEmpty {
      throw TrainingError(.noSamples, subject: part, detail: "has no pictures")
    }
    precondition(
      [training, validation, test].allSatisfy { $0.allSatisfy { $0 >= 0 && $0 < labels.sampleCount } },
      "every sample has its labels")
    self.pictures = pictures
    self.labels = labels
    self.training = training
    self.validation = validation
    self.test = test
    self.augmentation = augmentation
  }

  /// The training samples as they go through one epoch: shuffled, and in the form that the seed draws for each.
  package func trainingRequests(seed: UInt64, epoch: Int) -> [PictureRequest] {
    SampleOrder.shuffled(training, seed: seed, epoch: epoch).map { sample in
      switch augmentation {
      case .none: PictureRequest(sample)
      case .flip: PictureRequest(sample, isMirrored(sample, seed: seed, epoch: epoch) ? .mirrored : .plain)
      case .variants(let count): PictureRequest(sample, .augmented(epoch: epoch % count))
      case .unlimited: PictureRequest(sample, .augmented(epoch: epoch))
      }
    }
  }

  /// All forms of the training pictures; nil where there are too many to count.
  var trainingForms: [PictureRequest]? {
    switch augmentation {
    case .none: training.map { PictureRequest($0) }
    case .flip: training.flatMap { [PictureRequest($0), PictureRequest($0, .mirrored)] }
    case .variants(let count):
      (0..<count).flatMap { variant in training.map { PictureRequest($0, .augmented(epoch: variant)) } }
    case .unlimited: nil
    }
  }

  /// The same data with the validation samples among those that train.
  var trainingOnValidation: TrainingData {
    get throws(TrainingError) {
      try TrainingData(
        pictures: pictures, labels: labels, training: (training + validation).sorted(), validation: validation,
        test: test, augmentation: augmentation)
    }
  }

  private func isMirrored(_ sample: Int, seed: UInt64, epoch: Int) -> Bool {
    var generator = SeededGenerator(
      seed: seed, mirrorPurpose, UInt64(bitPattern: Int64(epoch)), UInt64(bitPattern: Int64(sample)))
    return generator.next() & 1 == 1
  }
}

/// The first step of the random path that decides which pictures are mirrored: "mirror" in bytes.
private let mirrorPurpose: UInt64 = 0x6d69_7272_6f72
