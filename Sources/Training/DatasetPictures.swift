import Datasets
import Tensors

/// The pictures of a data set's files, decoded ahead on threads of their own.
package struct DatasetPictures: PictureSource {
  private let loader: PictureLoader
  private let augmentation: Augmentation
  private let seed: UInt64

  /// Pictures as a loader decodes them.
  ///
  /// - Parameters:
  ///   - augmentation: What `augmented` requests get.
  ///   - seed: What it is drawn from.
  package init(_ loader: PictureLoader, augmentation: Augmentation, seed: UInt64) {
    self.loader = loader
    self.augmentation = augmentation
    self.seed = seed
  }

  /// The shape of every picture, `[H, W, 3]`.
  package var pictureShape: Shape { [loader.decoder.height, loader.decoder.width, 3] }

  /// Begins to decode.
  package func pictures(_ requests: [PictureRequest]) -> any PictureSequence {
    let samples = requests.map(\.sample)
    if case .augmented(let epoch) = requests.first?.treatment {
      precondition(
        requests.allSatisfy { $0.treatment == .augmented(epoch: epoch) }, "an epoch augments all its pictures or none")
      return DecodedPictures(
        loader.batches(
          of: samples, batchSize: 1, augmentation: augmentation, seed: seed, variant: epoch,
          prefetchCount: prefetchCount),
        mirrored: [], width: loader.decoder.width)
    }
    return DecodedPictures(
      loader.batches(of: samples, batchSize: 1, prefetchCount: prefetchCount),
      mirrored: requests.map { $0.treatment == .mirrored }, width: loader.decoder.width)
  }
}

/// How many pictures are decoded ahead: enough that no large file keeps the engine waiting.
private let prefetchCount = 32

private final class DecodedPictures: PictureSequence {
  private let batches: PictureBatches
  private let mirrored: [Bool]
  private let width: Int
  private var position = 0

  init(_ batches: PictureBatches, mirrored: [Bool], width: Int) {
    self.batches = batches
    self.mirrored = mirrored
    self.width = width
  }

  func next(into output: UnsafeMutableBufferPointer<Float>) throws {
    guard try batches.next(into: output) != nil else {
      preconditionFailure("no more pictures are taken than asked for")
    }
    if position < mirrored.count, mirrored[position] { output.mirrorRows(width: width) }
    position += 1
  }
}

extension UnsafeMutableBufferPointer<Float> {
  /// Exchanges left and right of an image `[H, W, 3]`.
  package func mirrorRows(width: Int) {
    for row in stride(from: 0, to: count, by: width * 3) {
      var (left, right) = (row, row + (width - 1) * 3)
      while left < right {
        for channel in 0..<3 { swapAt(left + channel, right + channel) }
        left += 3
        right -= 3
      }
    }
  }
}
