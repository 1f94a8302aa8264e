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
    let parts = requests[...].chunkedByEpoch
    return parts.count == 1 ? decoded(parts[0]) : JoinedPictures(parts, of: self)
  }

  /// Begins to decode pictures that one epoch augments, or none.
  fileprivate func decoded(_ requests: ArraySlice<PictureRequest>) -> any PictureSequence {
    let samples = requests.map(\.sample)
    guard let epoch = requests.first?.epoch else {
      return DecodedPictures(
        loader.batches(of: samples, batchSize: 1, prefetchCount: prefetchCount),
        mirrored: requests.map { $0.treatment == .mirrored }, width: loader.decoder.width)
    }
    return DecodedPictures(
      loader.batches(
        of: samples, batchSize: 1, augmentation: augmentation, seed: seed, variant: epoch, prefetchCount: prefetchCount),
      mirrored: [], width: loader.decoder.width)
  }
}

/// Pictures of several epochs, one part after the other.
private final class JoinedPictures: PictureSequence {
  private var parts: ArraySlice<ArraySlice<PictureRequest>>
  private let source: DatasetPictures
  private var current: (any PictureSequence)?
  private var rest = 0

  init(_ parts: [ArraySlice<PictureRequest>], of source: DatasetPictures) {
    self.parts = parts[...]
    self.source = source
  }

  func next(into output: UnsafeMutableBufferPointer<Float>) throws {
    if rest == 0, let part = parts.popFirst() {
      current = source.decoded(part)
      rest = part.count
    }
    rest -= 1
    try current?.next(into: output)
  }
}

extension PictureRequest {
  /// The epoch whose augmentation the picture gets; nil for none.
  fileprivate var epoch: Int? {
    if case .augmented(let epoch) = treatment { epoch } else { nil }
  }
}

extension ArraySlice<PictureRequest> {
  /// Consecutive parts that one epoch augments, or none; one part where there is nothing.
  fileprivate var chunkedByEpoch: [ArraySlice] {
    var parts: [ArraySlice] = []
    var start = startIndex
    for index in indices.dropFirst() where self[index].epoch != self[start].epoch {
      parts.append(self[start..<index])
      start = index
    }
    return parts + [self[start...]]
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
