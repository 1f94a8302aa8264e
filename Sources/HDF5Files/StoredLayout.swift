import CHDF5

/// Where the bytes of a dataset lie, and how they are packed.
struct StoredLayout {
  /// The pieces that a dataset is stored in.
  enum Arrangement {
    /// Inside the object's header.
    case compact
    /// In one piece.
    case contiguous
    /// In blocks of equal shape.
    case chunked(Chunk)
  }

  /// The blocks of a dataset.
  struct Chunk {
    /// The extents of one block.
    var dimensions: [Int]
    /// What was done to the bytes of each block, first to last.
    var filters: [ChunkFilter]
    /// Whether blocks that stick out at the far edges are stored as they are.
    var leavesPartialChunksUnfiltered: Bool
  }

  /// How the bytes are arranged.
  var arrangement: Arrangement

  /// Deflate cannot shrink bytes further than this.
  static let maximumDeflateRatio = 1032

  /// Finds out how a dataset is stored, without asking for its shape or bytes.
  ///
  /// - Throws: ``HDF5Error`` with `refusedStorage`, `refusedFilter` or `damaged`.
  init(of dataset: HDF5Handle, context: HDF5Context, path: String) throws(HDF5Error) {
    guard let list = HDF5Handle(H5Dget_create_plist(dataset.id)) else { throw context.damage(path) }
    switch H5Pget_layout(list.id) {
    case H5D_COMPACT: arrangement = .compact
    case H5D_CONTIGUOUS: arrangement = .contiguous
    case H5D_CHUNKED:
      arrangement = .chunked(try Self.chunk(list, context: context, path: path))
      return
    case H5D_VIRTUAL:
      throw context.error(.refusedStorage, path, "is a virtual dataset, whose elements lie in other datasets")
    default: throw context.damage(path)
    }
    let externalCount = H5Pget_external_count(list.id)
    if externalCount < 0 { throw context.damage(path) }
    if externalCount > 0 {
      throw context.error(.refusedStorage, path, "keeps its elements in other files, which are not opened")
    }
    if H5Pget_nfilters(list.id) != 0 {
      throw context.error(.refusedFilter, path, "has filters although it is not chunked")
    }
  }

  private static func chunk(_ list: HDF5Handle, context: HDF5Context, path: String) throws(HDF5Error) -> Chunk {
    var extents = [hsize_t](repeating: 0, count: Int(H5S_MAX_RANK))
    let rank = H5Pget_chunk(list.id, H5S_MAX_RANK, &extents)
    guard rank > 0, rank <= H5S_MAX_RANK else { throw context.damage(path) }
    let dimensions = extents.prefix(Int(rank)).compactMap(Int.init(exactly:))
    guard dimensions.count == Int(rank), dimensions.allSatisfy({ $0 > 0 }) else {
      throw context.error(.damaged, path, "has chunks of no sensible size")
    }
    return Chunk(
      dimensions: dimensions, filters: try ChunkFilter.pipeline(list, context: context, path: path),
      leavesPartialChunksUnfiltered: chdf5_leaves_partial_chunks_unfiltered(list.id) != 0)
  }
}

extension StoredLayout {
  /// Refuses a dataset that declares more bytes than its file can stand for.
  ///
  /// For a chunked dataset this compares with the size of the file; its chunks are looked at when it is read.
  ///
  /// - Throws: ``HDF5Error`` with `notBacked` or `damaged`.
  func checkBacking(
    of dataset: HDF5Handle, byteCount: Int, context: HDF5Context, path: String
  ) throws(HDF5Error) {
    if byteCount == 0 { return }
    switch arrangement {
    case .compact:
      try refuse(unless: Int(clamping: H5Dget_storage_size(dataset.id)), backs: byteCount, context, path)
    case .contiguous:
      let address = H5Dget_offset(dataset.id)
      var stored = 0
      if chdf5_is_nowhere(address) == 0, let start = Int(exactly: address) {
        stored = min(Int(clamping: H5Dget_storage_size(dataset.id)), max(0, context.byteCount - start))
      }
      try refuse(unless: stored, backs: byteCount, context, path)
    case .chunked(let chunk):
      let ratio = chunk.filters.contains(.deflate) ? Self.maximumDeflateRatio : 1
      let (limit, overflow) = context.byteCount.multipliedReportingOverflow(by: ratio)
      if !overflow && byteCount > limit {
        throw Self.notBacked(byteCount, "the whole file has only \(spokenByteCount(context.byteCount))", context, path)
      }
    }
  }

  private func refuse(
    unless stored: Int, backs byteCount: Int, _ context: HDF5Context, _ path: String
  ) throws(HDF5Error) {
    if stored < byteCount {
      throw Self.notBacked(byteCount, "the file backs only \(spokenByteCount(stored)) of it", context, path)
    }
  }

  /// The error for a dataset that promises more than it holds.
  static func notBacked(_ byteCount: Int, _ reason: String, _ context: HDF5Context, _ path: String) -> HDF5Error {
    context.error(.notBacked, path, "declares \(spokenByteCount(byteCount)), but \(reason)")
  }
}
