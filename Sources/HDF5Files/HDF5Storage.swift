/// How a new dataset lies in its file.
package enum HDF5Storage: Hashable, Sendable {
  /// In one piece, as in memory: the fastest to write and to read.
  case contiguous
  /// In blocks, each packed on its own.
  ///
  /// - Parameters:
  ///   - dimensions: The extents of a block; nil chooses blocks of about a megabyte.
  ///   - deflateLevel: From 0 (fast) to 9 (small); nil leaves the bytes as they are.
  ///   - shuffle: Sort the bytes of the elements by their significance first, which packs numbers better.
  ///   - checksum: Append a fletcher32 checksum to every block.
  case chunked(dimensions: [Int]? = nil, deflateLevel: Int? = 4, shuffle: Bool = true, checksum: Bool = false)

  /// Blocks of about a megabyte: whole rows of the last axes, as many as fit.
  static func chunkDimensions(for shape: [Int], elementByteCount: Int) -> [Int] {
    var budget = max(1, (1 << 20) / elementByteCount)
    var dimensions = shape
    for axis in shape.indices.reversed() {
      dimensions[axis] = max(1, min(shape[axis], budget))
      budget = max(1, budget / dimensions[axis])
    }
    return dimensions
  }
}
