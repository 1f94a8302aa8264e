import Engine
import Graphs
import Tensors

/// Brings pictures to the frontier of a phase: through the frozen part of the network, or out of a cache.
///
/// The frozen part runs in micro-batches of one size, the last padded, so that a picture has the same features to the
/// bit whichever others it comes with; cached and uncached training cannot be told apart by their results.
@EngineActor
final class FeaturePipeline {
  /// How many pictures go through the frozen part at once.
  let chunkSize: Int

  private let prefix: Plan?
  private let source: any PictureSource
  private let pictures: UnsafeMutableBufferPointer<Float>
  private let features: [UnsafeMutableBufferPointer<Float>]
  private let rowLengths: [Int]
  private let ownPictures: FloatBuffer?
  private let isWorthAFile: Bool
  private var rows: [PictureRequest: Int] = [:]
  private var stores: [FeatureStore] = []

  /// A pipeline to a frontier.
  ///
  /// - Parameters:
  ///   - prefix: The frozen part; nil where the pictures themselves cross the frontier.
  ///   - chunkSize: The micro-batch of the frozen part.
  ///   - precision: What the frozen part computes images with.
  init(
    prefix: Graph?, parameters: ParameterBank, source: any PictureSource, chunkSize: Int,
    precision: PlanOptions.Precision = .f32
  ) throws(EngineError) {
    self.source = source
    self.chunkSize = chunkSize
    if let prefix {
      let plan = try Plan(
        prefix, parameters: parameters, options: PlanOptions(batchSize: chunkSize, precision: precision))
      precondition(plan.inputs.count == 1, "a network for pictures has one input")
      self.prefix = plan
      pictures = plan.inputs[0].values
      features = plan.outputs.map(\.values)
      ownPictures = nil
      isWorthAFile = prefix.parameterCount > 0
    } else {
      self.prefix = nil
      let buffer = FloatBuffer(count: chunkSize * source.pictureShape.elementCount)
      pictures = buffer.values
      features = [pictures]
      ownPictures = buffer
      isWorthAFile = false
    }
    rowLengths = features.map { $0.count / chunkSize }
  }

  /// Whether the frozen part computes anything; otherwise the pictures themselves are its features.
  var hasPrefix: Bool { prefix != nil }

  /// Computes the features of pictures once and keeps them for the next feeds.
  ///
  /// - Parameters:
  ///   - memoryBudget: What takes more bytes goes into a file in `folder`; what is as good as the pictures does
  ///     not, since those are decoded as fast as a disk brings them.
  ///   - progress: Called after each micro-batch with the number of pictures done.
  /// - Returns: Whether there was room; if not, everything is computed anew for each use.
  func cache(
    _ requests: [PictureRequest], memoryBudget: Int, folder: String?, progress: (Int) throws -> Void
  ) throws -> Bool {
    precondition(rows.isEmpty, "a cache is filled once")
    var made: [FeatureStore] = []
    var budget = memoryBudget
    for length in rowLengths {
      guard
        let store = FeatureStore(
          rowCount: requests.count, rowLength: length, memoryBudget: budget, folder: isWorthAFile ? folder : nil)
      else { return false }
      if store.place == .memory { budget -= requests.count * length * MemoryLayout<Float>.stride }
      made.append(store)
    }
    let sequence = source.pictures(requests)
    for list in requests[...].chunked(by: chunkSize) {
      try compute(list.count, from: sequence)
      for (crossing, store) in made.enumerated() {
        for row in list.indices { copyFeature(crossing, at: row - list.startIndex, into: store[row]) }
      }
      try progress(list.endIndex)
    }
    for (row, request) in requests.enumerated() { rows[request] = row }
    stores = made
    return true
  }

  /// The features of lists of pictures, to be put into the inputs of a plan one list after the other.
  func feed(_ lists: [ArraySlice<PictureRequest>]) -> FeatureFeed {
    FeatureFeed(self, lists: lists, pictures: source.pictures(lists.filter { !isCached($0) }.flatMap(Array.init)))
  }
}

// MARK: - For feeds

extension FeaturePipeline {
  /// Whether the features of all these pictures are kept.
  func isCached(_ list: ArraySlice<PictureRequest>) -> Bool {
    !rows.isEmpty && list.allSatisfy { rows[$0] != nil }
  }

  /// Puts the kept features of a picture into one row of every input.
  func copyKept(_ request: PictureRequest, to row: Int, of inputs: [PlanPort]) {
    guard let kept = rows[request] else { preconditionFailure("the picture's features are kept") }
    for (crossing, store) in stores.enumerated() { Self.copy(store[kept], to: inputs[crossing].values, row: row) }
  }

  /// Runs the next pictures of a sequence through the frozen part.
  func compute(_ count: Int, from sequence: any PictureSequence) throws {
    let length = pictures.count / chunkSize
    for place in 0..<count {
      try sequence.next(into: UnsafeMutableBufferPointer(rebasing: pictures[place * length..<(place + 1) * length]))
    }
    pictures[(count * length)...].update(repeating: 0)
    prefix?.forward()
  }

  /// Puts what was computed for the picture at a place into one row of every input.
  func copyComputed(at place: Int, to row: Int, of inputs: [PlanPort]) {
    for (crossing, input) in inputs.enumerated() {
      let length = rowLengths[crossing]
      copyFeature(
        crossing, at: place, into: UnsafeMutableBufferPointer(rebasing: input.values[row * length..<(row + 1) * length])
      )
    }
  }

  private func copyFeature(_ crossing: Int, at place: Int, into row: UnsafeMutableBufferPointer<Float>) {
    let length = rowLengths[crossing]
    _ = row.update(fromContentsOf: features[crossing][place * length..<(place + 1) * length])
  }

  private static func copy(
    _ feature: UnsafeMutableBufferPointer<Float>, to values: UnsafeMutableBufferPointer<Float>, row: Int
  ) {
    _ = values[(row * feature.count)...].update(fromContentsOf: feature)
  }
}

extension ArraySlice {
  /// Consecutive parts of the given length; the last may be shorter.
  func chunked(by size: Int) -> [ArraySlice] {
    stride(from: startIndex, to: endIndex, by: size).map { self[$0..<Swift.min($0 + size, endIndex)] }
  }
}
