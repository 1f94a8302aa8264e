import Foundation

/// What came out when every picture of a data set was decoded once.
public struct PictureCheck: Sendable {
  /// The data set without the pictures that cannot be read.
  public let dataset: Dataset
  /// Why each of the others cannot be read, in the order of the samples.
  public let failures: [DatasetError]

  /// Decodes every picture once, on all threads of the loader, and fills its cache.
  ///
  /// - Throws: ``DatasetError`` with ``DatasetError/Code/tooManyBadFiles`` where more pictures than the policy allows
  ///   cannot be read; it names the first five.
  public init(_ loader: PictureLoader, policy: BadFilePolicy = .standard) throws(DatasetError) {
    let dataset = loader.dataset
    let outcomes = Outcomes(count: dataset.samples.count)
    DecodeThreads.forEach(dataset.samples.count, threadCount: loader.threadCount) { sample in
      let pixels = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: loader.decoder.byteCount)
      defer { pixels.deallocate() }
      pixels.initialize(repeating: 0)
      do throws(DatasetError) {
        try loader.load(sample, draw: nil, into: pixels)
      } catch {
        outcomes.record(error, for: sample)
      }
    }
    let bad = outcomes.failures
    failures = bad.map(\.error)
    let limit = policy.limit(of: dataset.samples.count)
    if bad.count > limit {
      throw PictureCheck.tooMany(bad, in: dataset, limit: limit)
    }
    self.dataset = bad.isEmpty ? dataset : dataset.removing(bad.map(\.sample))
  }

  private static func tooMany(
    _ bad: [(sample: Int, error: DatasetError)], in dataset: Dataset, limit: Int
  ) -> DatasetError {
    let shown = bad.prefix(5).map { "\(dataset.samples[$0.sample].path) (\($0.error.detail))" }
    let rest = bad.count > shown.count ? " and \(bad.count - shown.count) more" : ""
    return DatasetError(
      .tooManyBadFiles, dataset.root,
      "\(bad.count) of \(dataset.samples.count) pictures cannot be read, and at most \(limit) may be left out: "
        + shown.joined(separator: ", ") + rest)
  }
}

/// What the threads found, by sample.
///
/// Unchecked: `lock` protects the table.
private final class Outcomes: @unchecked Sendable {
  private let lock = NSLock()
  private var errors: [DatasetError?]

  init(count: Int) { errors = Array(repeating: nil, count: count) }

  func record(_ error: DatasetError, for sample: Int) { lock.withLock { errors[sample] = error } }

  var failures: [(sample: Int, error: DatasetError)] {
    lock.withLock { errors.enumerated().compactMap { sample, error in error.map { (sample, $0) } } }
  }
}
