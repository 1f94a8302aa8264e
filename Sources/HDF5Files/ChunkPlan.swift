import CHDF5
import Tensors

/// All chunks of a dataset, each known to be in the file before memory is taken for any.
struct ChunkPlan {
  private let dataset: HDF5Handle
  private let context: HDF5Context
  private let path: String
  private let chunk: StoredLayout.Chunk
  private let chunkByteCount: Int
  private let block: BlockCopy
  /// The stored size of every chunk, the last axis running fastest.
  private let storedByteCounts: [Int]

  /// Looks all chunks up.
  ///
  /// - Throws: ``HDF5Error`` with `notBacked` or `damaged`.
  init(
    dataset: HDF5Handle, shape: Shape, elementByteCount: Int, chunk: StoredLayout.Chunk, context: HDF5Context,
    path: String
  ) throws(HDF5Error) {
    self.dataset = dataset
    self.context = context
    self.path = path
    self.chunk = chunk
    guard chunk.dimensions.count == shape.rank else {
      throw context.error(.damaged, path, "has chunks with another number of axes than its shape \(shape)")
    }
    let chunkByteCount = try DatasetExtents.byteCount(
      Shape(chunk.dimensions), elementByteCount: elementByteCount, context: context, path: path)
    let counts = zip(shape.dimensions, chunk.dimensions).map { ($0 - 1) / $1 + 1 }
    let chunkCount = try DatasetExtents.byteCount(Shape(counts), elementByteCount: 1, context: context, path: path)
    let declared = try DatasetExtents.byteCount(
      Shape(counts), elementByteCount: chunkByteCount, context: context, path: path)
    var present: hsize_t = 0
    guard let space = HDF5Handle(H5Dget_space(dataset.id)), H5Dget_num_chunks(dataset.id, space.id, &present) >= 0
    else { throw context.damage(path) }
    guard present >= chunkCount else {
      throw StoredLayout.notBacked(
        declared, "the file holds only \(present) of its \(chunkCount) chunks", context, path)
    }
    block = BlockCopy(shape: shape.dimensions, block: chunk.dimensions, elementByteCount: elementByteCount)
    self.chunkByteCount = chunkByteCount

    var sizes: [Int] = []
    sizes.reserveCapacity(min(chunkCount, context.byteCount))
    var stored = 0
    var corner = BlockCorner(shape: shape.dimensions, block: chunk.dimensions)
    repeat {
      var size: hsize_t = 0
      guard H5Dget_chunk_storage_size(dataset.id, corner.offset, &size) >= 0 else { throw context.damage(path) }
      guard size > 0 else {
        throw StoredLayout.notBacked(
          declared, "the file does not hold the chunk at \(corner.offset)", context, path)
      }
      guard size <= context.byteCount - stored else {
        throw StoredLayout.notBacked(
          declared, "its chunks claim more than the \(spokenByteCount(context.byteCount)) of the file", context, path)
      }
      stored += Int(size)
      sizes.append(Int(size))
    } while corner.advance()
    storedByteCounts = sizes

    let ratio = chunk.filters.contains(.deflate) ? StoredLayout.maximumDeflateRatio : 1
    let (limit, overflow) = stored.multipliedReportingOverflow(by: ratio)
    if !overflow && declared > limit {
      throw StoredLayout.notBacked(
        declared, "its chunks have only \(spokenByteCount(stored)), too few to stand for it", context, path)
    }
  }

  /// Reads and unpacks all chunks into the array.
  ///
  /// - Throws: ``HDF5Error`` with `damaged`.
  func read(into array: UnsafeMutableRawBufferPointer) throws(HDF5Error) {
    try forEachChunk { bytes, offset in block.copy(bytes, at: offset, into: array) }
  }

  /// Unpacks all chunks and forgets them.
  ///
  /// - Throws: ``HDF5Error`` with `damaged`.
  func check() throws(HDF5Error) {
    try forEachChunk { _, _ in }
  }

  private func forEachChunk(_ body: (UnsafeRawBufferPointer, [hsize_t]) -> Void) throws(HDF5Error) {
    var corner = BlockCorner(shape: block.shape, block: chunk.dimensions)
    var index = 0
    repeat {
      let bytes = try readChunk(at: corner.offset, storedByteCount: storedByteCounts[index])
      bytes.withUnsafeBytes { body($0, corner.offset) }
      index += 1
    } while corner.advance()
  }

  private func readChunk(at offset: [hsize_t], storedByteCount: Int) throws(HDF5Error) -> [UInt8] {
    var skipped: UInt32 = 0
    var status: herr_t = -1
    let stored = [UInt8](unsafeUninitializedCapacity: storedByteCount) { buffer, count in
      status = chdf5_read_chunk(dataset.id, offset, &skipped, buffer.baseAddress)
      count = status < 0 ? 0 : storedByteCount
    }
    if status < 0 { throw context.damage(path) }
    var filters = chunk.filters.enumerated().filter { skipped >> UInt32($0.offset) & 1 == 0 }.map(\.element)
    if chunk.leavesPartialChunksUnfiltered && block.sticksOut(at: offset) { filters = [] }
    do {
      return try ChunkFilter.undo(filters, stored: stored, chunkByteCount: chunkByteCount)
    } catch {
      throw context.error(.damaged, path, "has a chunk at \(offset) \(error.clause)")
    }
  }
}

/// The first element of each block of an array, the last axis running fastest.
private struct BlockCorner {
  private(set) var offset: [hsize_t]
  private let shape: [Int]
  private let block: [Int]

  init(shape: [Int], block: [Int]) {
    self.shape = shape
    self.block = block
    offset = [hsize_t](repeating: 0, count: shape.count)
  }

  /// Goes on to the next block; false after the last.
  mutating func advance() -> Bool {
    for axis in shape.indices.reversed() {
      let (next, overflow) = Int(offset[axis]).addingReportingOverflow(block[axis])
      if !overflow && next < shape[axis] {
        offset[axis] = hsize_t(next)
        return true
      }
      offset[axis] = 0
    }
    return false
  }
}

/// Lays blocks into a row-major array, leaving out what sticks out of it.
private struct BlockCopy {
  let shape: [Int]
  private let block: [Int]
  private let elementByteCount: Int
  /// Bytes from one index to the next, for each axis of the array and of a block.
  private let arrayStrides: [Int]
  private let blockStrides: [Int]

  init(shape: [Int], block: [Int], elementByteCount: Int) {
    self.shape = shape
    self.block = block
    self.elementByteCount = elementByteCount
    func strides(_ extents: [Int]) -> [Int] {
      var strides = [Int](repeating: elementByteCount, count: extents.count)
      for axis in extents.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * extents[axis + 1] }
      return strides
    }
    arrayStrides = strides(shape)
    blockStrides = strides(block)
  }

  /// Whether the block at this corner reaches beyond the array.
  func sticksOut(at corner: [hsize_t]) -> Bool {
    shape.indices.contains { shape[$0] - Int(corner[$0]) < block[$0] }
  }

  /// Copies one block to its place.
  func copy(_ bytes: UnsafeRawBufferPointer, at corner: [hsize_t], into array: UnsafeMutableRawBufferPointer) {
    let extents = shape.indices.map { min(block[$0], shape[$0] - Int(corner[$0])) }
    // Axes whose whole extent is covered on both sides run together into one row.
    var rowAxis = shape.count - 1
    while rowAxis > 0 && extents[rowAxis] == shape[rowAxis] && extents[rowAxis] == block[rowAxis] { rowAxis -= 1 }
    let rowByteCount = extents[rowAxis] * arrayStrides[rowAxis]
    var from = 0
    var to = zip(corner, arrayStrides).reduce(0) { $0 + Int($1.0) * $1.1 }
    var index = [Int](repeating: 0, count: rowAxis)
    while true {
      array[to..<to + rowByteCount].copyBytes(from: bytes[from..<from + rowByteCount])
      var axis = rowAxis - 1
      while axis >= 0 {
        index[axis] += 1
        from += blockStrides[axis]
        to += arrayStrides[axis]
        if index[axis] < extents[axis] { break }
        from -= extents[axis] * blockStrides[axis]
        to -= extents[axis] * arrayStrides[axis]
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}
