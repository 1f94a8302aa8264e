import Engine
import Graphs
import Tensors

/// Brings pictures to the frontier of a phase: through the frozen part of the network, or out of a cache.
///
/// Pipelines stand in a chain from the pictures on: each computes what lies between its frontier and that of the one
/// before it. The frozen part runs in micro-batches of one size, the last padded, so that a picture has the same features
/// to the bit whichever others it comes with, and whether it starts from its pixels or from a cache on the way; cached
/// and uncached training cannot be told apart by their results.
@EngineActor
final class FeaturePipeline {
  /// How many pictures go through the frozen part at once.
  let chunkSize: Int

  private let upstream: FeaturePipeline?
  private let segment: Plan?
  private let source: any PictureSource
  private let parameters: ParameterBank
  /// The parameters that the features depend on.
  private let paths: [ParameterPath]
  private let forms: [FeatureStore.Form]
  private var kept: Kept?
  /// The pictures whose features the segment has computed last.
  private var computed: ArraySlice<PictureRequest> = []

  /// Features that have been computed once.
  private struct Kept {
    var stores: [FeatureStore]
    var rows: [PictureRequest: Int]
    /// The newest change of the parameters that they depend on.
    let version: Int
  }

  /// The beginning of a chain: the pictures themselves.
  init(source: any PictureSource, parameters: ParameterBank, chunkSize: Int) {
    self.source = source
    self.parameters = parameters
    self.chunkSize = chunkSize
    upstream = nil
    segment = nil
    paths = []
    forms = [FeatureStore.Form(rowLength: source.pictureShape.elementCount, isRounded: false)]
  }

  /// The next pipeline of a chain.
  ///
  /// - Parameters:
  ///   - segment: What is computed from the features of `upstream`, which are its inputs in order.
  ///   - precision: What images are computed with.
  init(_ segment: Graph, after upstream: FeaturePipeline, precision: PlanOptions.Precision) throws(EngineError) {
    self.upstream = upstream
    source = upstream.source
    parameters = upstream.parameters
    chunkSize = upstream.chunkSize
    let plan = try Plan(
      segment, parameters: upstream.parameters, options: PlanOptions(batchSize: chunkSize, precision: precision))
    self.segment = plan
    paths = upstream.paths + segment.parameters.map(\.path)
    forms = plan.outputs.map {
      FeatureStore.Form(rowLength: $0.shape.elementCount, isRounded: $0.isRoundedToBFloat16)
    }
  }

  /// Whether the frozen part computes anything; otherwise the pictures themselves are its features.
  var hasPrefix: Bool { segment != nil }

  /// The features of lists of pictures, to be put into the inputs of a plan one list after the other.
  func feed(_ lists: [ArraySlice<PictureRequest>]) -> FeatureFeed {
    let chunks = lists.flatMap { $0.chunked(by: chunkSize) }
    return FeatureFeed(self, lists: lists, pictures: source.pictures(chunks.filter(needsPictures).flatMap(Array.init)))
  }
}

// MARK: - Keeping

extension FeaturePipeline {
  /// Computes the features of pictures once and keeps them for the next feeds.
  ///
  /// - Parameters:
  ///   - others: Pipelines that the pictures pass on their way, whose features are kept too where memory has room.
  ///   - memoryBudget: What takes more bytes goes into a file in `folder`; what is as good as the pictures does not,
  ///     since those are decoded as fast as a disk brings them.
  ///   - progress: Called after each micro-batch with the number of pictures done.
  /// - Returns: Whether there was room; if not, everything is computed anew for each use.
  func cache(
    _ requests: [PictureRequest], alongWith others: [FeaturePipeline] = [], memoryBudget: Int, folder: String?,
    progress: (Int) throws -> Void
  ) throws -> Bool {
    dropIfStale()
    if let kept, requests.allSatisfy({ kept.rows[$0] != nil }) { return true }
    var budget = memoryBudget
    guard let own = stores(rowCount: requests.count, budget: &budget, folder: paths.isEmpty ? nil : folder) else {
      return false
    }
    var targets = [(pipeline: self, stores: own)]
    for other in others where other.kept == nil {
      guard let stores = other.stores(rowCount: requests.count, budget: &budget, folder: nil) else { continue }
      targets.append((other, stores))
    }
    let chunks = requests[...].chunked(by: chunkSize)
    let pictures = source.pictures(chunks.filter(needsPictures).flatMap(Array.init))
    // What another pipeline did not compute, since a cache behind it served, it does not keep.
    var complete = targets.map { _ in true }
    for target in targets { target.pipeline.computed = [] }
    for chunk in chunks {
      if segment == nil {
        for (row, store) in zip(chunk.indices, repeatElement(own[0], count: chunk.count)) {
          try store.fill(row: row) { try pictures.next(into: $0) }
        }
      } else {
        try compute(chunk, from: pictures)
      }
      for (place, target) in targets.enumerated() where target.pipeline.segment != nil {
        if target.pipeline.computed == chunk {
          target.pipeline.keep(chunk, in: target.stores)
        } else {
          complete[place] = false
        }
      }
      try progress(chunk.endIndex)
    }
    let rows = Dictionary(requests.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    for (place, target) in targets.enumerated() where complete[place] {
      target.pipeline.kept = Kept(stores: target.stores, rows: rows, version: target.pipeline.version)
    }
    return true
  }

  /// Gives back the memory of what is kept.
  func forget() { kept = nil }

  private var version: Int { parameters.newestVersion(of: paths) }

  /// Drops what was computed with other values of the parameters.
  private func dropIfStale() {
    if let kept, kept.version != version { self.kept = nil }
  }

  private func stores(rowCount: Int, budget: inout Int, folder: String?) -> [FeatureStore]? {
    var made: [FeatureStore] = []
    var rest = budget
    for form in forms {
      guard let store = FeatureStore(rowCount: rowCount, form, memoryBudget: rest, folder: folder) else { return nil }
      if store.place == .memory { rest -= rowCount * form.byteCount }
      made.append(store)
    }
    budget = rest
    return made
  }

  private func keep(_ chunk: ArraySlice<PictureRequest>, in stores: [FeatureStore]) {
    for (output, store) in zip(segment?.outputs ?? [], stores) {
      let length = store.form.rowLength
      for (place, row) in chunk.indices.enumerated() {
        store.write(UnsafeBufferPointer(rebasing: output.values[place * length..<(place + 1) * length]), row: row)
      }
    }
  }
}

// MARK: - Computing

extension FeaturePipeline {
  /// Puts the features of at most as many pictures as are computed at once into rows of every input of a plan.
  ///
  /// - Parameter pictures: Where the pixels come from if they are needed.
  func put(
    _ chunk: ArraySlice<PictureRequest>, into inputs: [PlanPort], at row: Int, from pictures: any PictureSequence
  ) throws {
    if isKept(chunk), let kept {
      for (place, request) in chunk.enumerated() {
        guard let number = kept.rows[request] else { continue }
        for (input, store) in zip(inputs, kept.stores) { store.read(row: number, into: input[row + place]) }
      }
      return
    }
    guard let segment else {
      for place in 0..<chunk.count { try pictures.next(into: inputs[0][row + place]) }
      return
    }
    try compute(chunk, from: pictures)
    for (input, output) in zip(inputs, segment.outputs) {
      for place in 0..<chunk.count {
        _ = input[row + place].update(fromContentsOf: output[place])
      }
    }
  }

  /// Runs pictures through the frozen part.
  private func compute(_ chunk: ArraySlice<PictureRequest>, from pictures: any PictureSequence) throws {
    guard let segment, let upstream else { return }
    try upstream.put(chunk, into: segment.inputs, at: 0, from: pictures)
    for input in segment.inputs { input.values[(chunk.count * input.shape.elementCount)...].update(repeating: 0) }
    segment.forward()
    computed = chunk
  }

  /// Whether the features of all these pictures are kept.
  private func isKept(_ chunk: ArraySlice<PictureRequest>) -> Bool {
    guard let kept else { return false }
    return chunk.allSatisfy { kept.rows[$0] != nil }
  }

  /// Whether nothing on the way to the frontier is kept for these pictures.
  private func needsPictures(_ chunk: ArraySlice<PictureRequest>) -> Bool {
    dropIfStale()
    return !isKept(chunk) && (upstream?.needsPictures(chunk) ?? true)
  }
}

extension PlanPort {
  /// One sample's numbers.
  fileprivate subscript(row: Int) -> UnsafeMutableBufferPointer<Float> {
    let length = shape.elementCount
    return UnsafeMutableBufferPointer(rebasing: values[row * length..<(row + 1) * length])
  }
}

extension ArraySlice {
  /// Consecutive parts of the given length; the last may be shorter.
  func chunked(by size: Int) -> [ArraySlice] {
    stride(from: startIndex, to: endIndex, by: size).map { self[$0..<Swift.min($0 + size, endIndex)] }
  }
}
