import Foundation

/// The batches of one pass over some samples, in their order, while threads decode ahead.
///
/// Memory is bounded: what is decoded and not yet taken lies in a ring of as many pictures as may be ahead. Letting go of
/// the object ends its threads.
public final class PictureBatches {
  private let samples: [Int]
  private let batchSize: Int
  private let ring: DecodeRing
  private let threads: DecodeThreads
  private var position = 0

  init(
    _ samples: [Int], batchSize: Int, capacity: Int, loader: PictureLoader,
    draw: @escaping @Sendable (Int) -> AugmentationDraw
  ) {
    self.samples = samples
    self.batchSize = batchSize
    let ring = DecodeRing(count: samples.count, capacity: capacity, byteCount: loader.decoder.byteCount)
    self.ring = ring
    threads = DecodeThreads(count: min(loader.threadCount, samples.count)) {
      while let place = ring.claim() {
        do throws(DatasetError) {
          let sample = samples[place.position]
          try loader.load(sample, draw: draw(sample), into: place.pixels)
          ring.finish(place.position, error: nil)
        } catch {
          ring.finish(place.position, error: error)
        }
      }
    }
  }

  deinit {
    ring.close()
    threads.join()
  }

  /// The number of batches that are still to come.
  public var remainingCount: Int { (samples.count - position + batchSize - 1) / batchSize }

  /// Writes the next batch as numbers from 0 to 255 and returns its samples, or nil after the last.
  ///
  /// ## Shapes
  /// - output: `[N, H, W, 3]`, with room for a whole batch; what is behind a shorter last batch stays as it was
  ///
  /// - Throws: ``DatasetError`` with ``DatasetError/Code/picture`` for the first picture in order that cannot be decoded.
  public func next(into output: UnsafeMutableBufferPointer<Float>) throws(DatasetError) -> ArraySlice<Int>? {
    try next(outputCount: output.count) { pixels, offset in
      guard let source = pixels.baseAddress, let target = output.baseAddress else { return }
      let start = target + offset
      for index in 0..<pixels.count { start[index] = Float(source[index]) }
    }
  }

  /// Writes the next batch as bytes and returns its samples, or nil after the last.
  ///
  /// ## Shapes
  /// - output: `[N, H, W, 3]`, with room for a whole batch; what is behind a shorter last batch stays as it was
  ///
  /// - Throws: ``DatasetError`` with ``DatasetError/Code/picture`` for the first picture in order that cannot be decoded.
  public func next(into output: UnsafeMutableBufferPointer<UInt8>) throws(DatasetError) -> ArraySlice<Int>? {
    try next(outputCount: output.count) { pixels, offset in
      guard let source = pixels.baseAddress, let target = output.baseAddress else { return }
      (target + offset).update(from: source, count: pixels.count)
    }
  }

  private func next(
    outputCount: Int, _ copy: (UnsafeBufferPointer<UInt8>, Int) -> Void
  ) throws(DatasetError) -> ArraySlice<Int>? {
    let batch = position..<min(position + batchSize, samples.count)
    if batch.isEmpty { return nil }
    precondition(outputCount >= batch.count * ring.byteCount, "the output has no room for \(batch.count) pictures")
    for place in batch {
      copy(try ring.take(place), (place - batch.lowerBound) * ring.byteCount)
      ring.release()
    }
    position = batch.upperBound
    return samples[batch]
  }
}
