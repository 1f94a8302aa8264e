import Foundation

/// Brings the pictures of a data set into memory, batch by batch, decoding ahead on threads of its own.
///
/// ```swift
/// let loader = PictureLoader(dataset, decoder: PictureDecoder(size: 224))
/// let batches = loader.batches(of: split.training, batchSize: 16, augmentation: .standard, seed: 1, variant: epoch)
/// while let samples = try batches.next(into: floats) { … }
/// ```
public struct PictureLoader: Sendable {
  /// The data set whose samples are loaded.
  public let dataset: Dataset
  /// How pictures are decoded.
  public let decoder: PictureDecoder
  /// Where decoded pictures are kept; nil decodes every time.
  public let cache: PictureCache?
  /// How many threads decode.
  public let threadCount: Int

  /// A loader of a data set's pictures.
  ///
  /// - Parameter threadCount: how many threads decode; as many as the machine has cores unless given.
  public init(
    _ dataset: Dataset, decoder: PictureDecoder, cache: PictureCache? = nil,
    threadCount: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    precondition(threadCount > 0, "loading needs at least one thread")
    precondition(cache == nil || cache?.decoder == decoder, "the cache holds what another decoder makes")
    self.dataset = dataset
    self.decoder = decoder
    self.cache = cache
    self.threadCount = threadCount
  }

  /// Begins to decode the given samples in their order.
  ///
  /// What comes out depends on the samples, the augmentation, the seed and the variant, not on the number of threads.
  ///
  /// - Parameters:
  ///   - samples: positions in the data set; a position may come more than once.
  ///   - batchSize: the number of pictures in every batch but the last.
  ///   - augmentation: how pictures are varied.
  ///   - seed: what the changes are drawn from, together with `variant` and the sample's position.
  ///   - variant: which variation of each picture is wanted, usually the epoch.
  ///   - prefetchCount: how many batches may be decoded ahead of the one that is asked for.
  public func batches(
    of samples: [Int], batchSize: Int, augmentation: Augmentation = .none, seed: UInt64 = 0, variant: Int = 0,
    prefetchCount: Int = 2
  ) -> PictureBatches {
    precondition(batchSize > 0, "a batch has at least one picture")
    precondition(prefetchCount > 0, "at least one batch is decoded ahead")
    return PictureBatches(samples, batchSize: batchSize, capacity: batchSize * prefetchCount, loader: self) { sample in
      augmentation.draw(seed: seed, variant: variant, sample: sample)
    }
  }

  /// Puts one sample's picture into `output`, from the cache where it is there.
  func load(
    _ sample: Int, draw: AugmentationDraw?, into output: UnsafeMutableBufferPointer<UInt8>
  ) throws(DatasetError) {
    let file = dataset.file(of: sample)
    if let crop = draw?.crop {
      try decoder.decode(file, crop: crop, into: output)
    } else if cache?.copy(file, into: output) != true {
      try decoder.decode(file, into: output)
      cache?.keep(file, output)
    }
    draw?.finish(output, width: decoder.width)
  }
}
