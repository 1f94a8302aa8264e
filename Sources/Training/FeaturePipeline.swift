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
  /// What the network up to here is called among features that are kept for other runs; asked for while `isFresh`.
  private lazy var key = makeKey()
  private let makeKey: () -> NetworkKey
  /// How old the parameters were when the run began.
  private let freshVersion: Int
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
    makeKey = { NetworkKey(pictureShape: source.pictureShape, chunkSize: chunkSize) }
    freshVersion = parameters.newestVersion
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
    makeKey = { upstream.key.adding(segment, precision: precision, parameters: upstream.parameters) }
    freshVersion = upstream.freshVersion
  }

  /// Where the pictures come from.
  var pictures: any PictureSource { source }

  /// Whether the frozen part computes anything; otherwise the pictures themselves are its features.
  var hasPrefix: Bool { segment != nil }

  /// What the features of one picture take where they are kept, in bytes.
  var rowByteCount: Int { forms.reduce(0) { $0 + $1.byteCount } }

  /// Multiplications and additions for the pictures that are computed at once.
  var operationCount: Int { (segment?.operationCount ?? 0) + (upstream?.operationCount ?? 0) }

  /// The features of lists of pictures, to be put into the inputs of a plan one list after the other.
  ///
  /// - Parameter mixing: How pictures that follow each other are mixed; the lists are parts of its epoch.
  func feed(_ lists: [ArraySlice<PictureRequest>], mixing: MixedEpoch? = nil) -> FeatureFeed {
    dropStale()
    // The first sample of all is mixed with one that is in none of the lists.
    let first = mixing.flatMap { mixing in lists.first.map { [mixing.partner(of: $0.startIndex)][...] } }
    let chunks = ([first].compactMap(\.self) + lists).flatMap { $0.chunked(by: chunkSize) }
    return FeatureFeed(
      self, lists: lists, pictures: source.pictures(chunks.filter(needsPictures).flatMap(Array.init)),
      mixing: mixing.flatMap { mixing in first.map { (mixing, $0) } })
  }
}

// MARK: - Keeping

extension FeaturePipeline {
  /// What became of an attempt to keep features.
  struct CacheOutcome {
    /// Whether there was room; if not, everything is computed anew for each use.
    var hasRoom: Bool
    /// How many pictures' features an earlier run had left.
    var reusedCount = 0
  }

  /// Computes the features of pictures once and keeps them for the next feeds.
  ///
  /// - Parameters:
  ///   - others: Pipelines that the pictures pass on their way, whose features are kept too where memory has room.
  ///   - library: Where earlier runs have left features, and this one leaves its own; nil for nowhere.
  ///   - memoryBudget: What takes more bytes goes into a file in `folder`; what is as good as the pictures does not,
  ///     since those are decoded as fast as a disk brings them.
  ///   - progress: Called after each micro-batch with the number of pictures done.
  func cache(
    _ requests: [PictureRequest], alongWith others: [FeaturePipeline] = [], library: FeatureLibrary? = nil,
    memoryBudget: Int, folder: String?, progress: (Int) throws -> Void
  ) throws -> CacheOutcome {
    dropStale()
    if let kept, requests.allSatisfy({ kept.rows[$0] != nil }) { return CacheOutcome(hasRoom: true) }
    // All are computed, those that are kept too: what is kept would take the room of what is going to be.
    kept = nil
    var budget = memoryBudget
    guard let own = stores(rowCount: requests.count, budget: &budget, folder: paths.isEmpty ? nil : folder) else {
      return CacheOutcome(hasRoom: false)
    }
    var targets = [CacheTarget(self, own, library)]
    for other in others where other.kept == nil {
      guard let stores = other.stores(rowCount: requests.count, budget: &budget, folder: nil) else { continue }
      targets.append(CacheTarget(other, stores, library))
    }
    let chunks = requests[...].chunked(by: chunkSize)
    let pictures = source.pictures(chunks.filter(needsPictures).flatMap(Array.init))
    var keys: [PictureKey] = []
    var reusedCount = 0
    for target in targets { target.pipeline.computed = [] }
    for chunk in chunks {
      var pixels = pictures
      if library != nil, segment != nil, needsPictures(chunk) {
        let held = try HeldPictures(chunk.count, of: source.pictureShape, from: pictures)
        keys += held.keys
        if targets.allSatisfy({ $0.serve(held.keys, to: chunk.indices) }) {
          reusedCount += chunk.count
          try progress(chunk.endIndex)
          continue
        }
        pixels = held
      }
      if segment == nil {
        for (row, store) in zip(chunk.indices, repeatElement(own[0], count: chunk.count)) {
          try store.fill(row: row) { try pixels.next(into: $0) }
        }
      } else {
        try compute(chunk, from: pixels)
      }
      for place in targets.indices where targets[place].pipeline.segment != nil {
        let target = targets[place]
        if target.pipeline.computed == chunk {
          target.pipeline.keep(chunk, in: target.stores)
        } else {
          // What another pipeline did not compute, since a cache behind it served, it does not keep.
          targets[place].isComplete = false
        }
      }
      try progress(chunk.endIndex)
    }
    let rows = Dictionary(requests.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    for target in targets where target.isComplete {
      target.pipeline.kept = Kept(stores: target.stores, rows: rows, version: target.pipeline.version)
      if let library, keys.count == requests.count, reusedCount < requests.count, target.pipeline.isFresh {
        library.keep(keys.enumerated().map { ($1, $0) }, in: target.stores, of: target.pipeline.key)
      }
    }
    return CacheOutcome(hasRoom: true, reusedCount: reusedCount)
  }

  /// One pipeline whose features are about to be kept.
  @EngineActor private struct CacheTarget {
    let pipeline: FeaturePipeline
    let stores: [FeatureStore]
    /// What an earlier run has left.
    let shelf: FeatureShelf?
    /// Whether no picture has gone by without leaving its features.
    var isComplete = true

    init(_ pipeline: FeaturePipeline, _ stores: [FeatureStore], _ library: FeatureLibrary?) {
      self.pipeline = pipeline
      self.stores = stores
      shelf =
        pipeline.segment != nil && pipeline.isFresh
        ? library?.shelf(of: pipeline.key, forms: pipeline.forms) : nil
    }

    /// Takes the features of pictures from an earlier run.
    ///
    /// - Returns: Whether it had all of them.
    func serve(_ keys: [PictureKey], to rows: Range<Int>) -> Bool {
      guard let shelf, keys.allSatisfy(shelf.contains) else { return false }
      for (key, row) in zip(keys, rows) { shelf.copy(key, to: row, of: stores) }
      return true
    }
  }

  /// Whether the parameters are those that the run began with: what others were trained to is of no use to another run.
  private var isFresh: Bool { version <= freshVersion }

  /// Whether features of any pictures are kept.
  var keepsFeatures: Bool { kept != nil }

  /// What memory takes of the features of so many pictures, in bytes, as `cache` divides them; nil where it has no room.
  ///
  /// - Parameters:
  ///   - budget: The bytes that may be kept in memory.
  ///   - hasFolder: Whether the rest can go into a file, on a disk that has room for it.
  func memoryShare(rowCount: Int, budget: Int, hasFolder: Bool) -> Int? {
    var rest = budget
    for form in forms {
      let (count, overflow) = rowCount.multipliedReportingOverflow(by: form.byteCount)
      if !overflow, count <= rest {
        rest -= count
      } else if overflow || !hasFolder || paths.isEmpty {
        return nil
      }
    }
    return budget - rest
  }

  /// What is kept in memory, in bytes.
  var memoryByteCount: Int { kept?.stores.reduce(0) { $0 + $1.memoryByteCount } ?? 0 }

  /// Gives back the memory of what is kept.
  func forget() { kept = nil }

  private var version: Int { parameters.newestVersion(of: paths) }

  /// Drops what was computed with other values of the parameters, here and on the way.
  func dropStale() {
    if let kept, kept.version != version { self.kept = nil }
    upstream?.dropStale()
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
    !isKept(chunk) && (upstream?.needsPictures(chunk) ?? true)
  }
}

extension PlanPort {
  /// One sample's numbers.
  subscript(row: Int) -> UnsafeMutableBufferPointer<Float> {
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

/// Some pictures that have been looked at before they are needed.
private final class HeldPictures: PictureSequence {
  /// The key of each.
  let keys: [PictureKey]
  private let pixels: FloatBuffer
  private let length: Int
  private var position = 0

  init(_ count: Int, of shape: Shape, from pictures: any PictureSequence) throws {
    length = shape.elementCount
    pixels = FloatBuffer(count: count * length)
    var keys: [PictureKey] = []
    for place in 0..<count {
      let picture = UnsafeMutableBufferPointer(rebasing: pixels.values[place * length..<(place + 1) * length])
      try pictures.next(into: picture)
      keys.append(PictureKey(of: picture))
    }
    self.keys = keys
  }

  func next(into output: UnsafeMutableBufferPointer<Float>) throws {
    _ = output.update(fromContentsOf: pixels.values[position * length..<(position + 1) * length])
    position += 1
  }
}
