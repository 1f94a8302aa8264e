/// Brings the rows of a picture to the size of the output while they are read.
///
/// Rows are joined first, which runs along whole rows, then columns. Only as many rows are held as one output row needs.
struct PictureScaler {
  private let horizontal: ResamplingWeights
  private let vertical: ResamplingWeights
  private let framing: PictureFraming
  private let columns: Range<Int>
  private let height: Int

  /// How many rows are read at a time.
  private let stripHeight = 16

  /// A scaler for a picture of `width` by `height` pixels, which may be smaller than the one that was framed.
  init(_ framing: PictureFraming, width: Int, height: Int) {
    self.framing = framing
    self.height = height
    horizontal = ResamplingWeights(framing.horizontal, inputCount: width)
    vertical = ResamplingWeights(framing.vertical, inputCount: height)
    columns = horizontal.inputs
  }

  /// Reads all rows that are needed and writes the part of the output that shows the picture.
  ///
  /// The picture is read to its end, also where the frame ends before: a file that is cut off is bad whatever part of it
  /// is shown.
  func scale(
    _ picture: some PictureRows, into output: UnsafeMutableBufferPointer<UInt8>, outputWidth: Int
  ) throws(PictureFailure) {
    guard let output = output.baseAddress else { return }
    let rowLength = columns.count * 3
    // A multiple of the strips that are read, so that none goes over the end.
    let heldCount = (vertical.tapCount + 2 * stripHeight - 1) / stripHeight * stripHeight
    let held = UnsafeMutablePointer<UInt8>.allocate(capacity: heldCount * rowLength)
    // One more number, because three of a pixel are read as four.
    let sums = UnsafeMutablePointer<Float>.allocate(capacity: rowLength + 1)
    defer {
      held.deallocate()
      sums.deallocate()
    }
    sums.initialize(repeating: 0, count: rowLength + 1)

    let firstRow = vertical.inputs.lowerBound
    var readCount = 0
    for row in framing.vertical.output {
      let index = row - framing.vertical.output.lowerBound
      let first = vertical.firsts[index] - firstRow
      while readCount < first + vertical.counts[index] {
        let count = min(stripHeight, height - firstRow - readCount)
        try picture.read(
          rows: firstRow + readCount..<firstRow + readCount + count, columns: columns,
          into: held + readCount % heldCount * rowLength)
        readCount += count
      }
      vertical.weights.withUnsafeBufferPointer { weights in
        guard let weights = weights.baseAddress else { return }
        joinRows(
          held, first: first, heldCount: heldCount, weights: weights + index * vertical.tapCount,
          count: vertical.counts[index], length: rowLength, into: sums)
      }
      joinColumns(sums, into: output + (row * outputWidth + framing.horizontal.output.lowerBound) * 3)
    }
    try readToTheEnd(picture, from: firstRow + readCount)
  }

  /// Adds `count` rows, four at a time, so that the sums are loaded and stored a quarter as often.
  private func joinRows(
    _ held: UnsafePointer<UInt8>, first: Int, heldCount: Int, weights: UnsafePointer<Float>, count: Int, length: Int,
    into sums: UnsafeMutablePointer<Float>
  ) {
    func row(_ tap: Int) -> UnsafePointer<UInt8> { held + (first + tap) % heldCount * length }
    sums.update(repeating: 0, count: length)
    var tap = 0
    while tap + 4 <= count {
      let (row0, row1, row2, row3) = (row(tap), row(tap + 1), row(tap + 2), row(tap + 3))
      let (weight0, weight1, weight2, weight3) = (weights[tap], weights[tap + 1], weights[tap + 2], weights[tap + 3])
      for index in 0..<length {
        let sum = weight0 * Float(row0[index]) + weight1 * Float(row1[index])
        sums[index] += sum + (weight2 * Float(row2[index]) + weight3 * Float(row3[index]))
      }
      tap += 4
    }
    while tap < count {
      let (row0, weight0) = (row(tap), weights[tap])
      for index in 0..<length { sums[index] += weight0 * Float(row0[index]) }
      tap += 1
    }
  }

  private func joinColumns(_ sums: UnsafePointer<Float>, into output: UnsafeMutablePointer<UInt8>) {
    let sums = UnsafeRawPointer(sums)
    let pixelBytes = 3 * MemoryLayout<Float>.size
    horizontal.weights.withUnsafeBufferPointer { weights in
      for index in 0..<framing.horizontal.output.count {
        var pixel = sums + (horizontal.firsts[index] - columns.lowerBound) * pixelBytes
        let start = index * horizontal.tapCount
        var sum = SIMD4<Float>(repeating: 0.5)
        for tap in start..<start + horizontal.counts[index] {
          sum += weights[tap] * pixel.loadUnaligned(as: SIMD4<Float>.self)
          pixel += pixelBytes
        }
        let rounded = sum.clamped(lowerBound: SIMD4(repeating: 0), upperBound: SIMD4(repeating: 255))
        output[3 * index] = UInt8(rounded.x)
        output[3 * index + 1] = UInt8(rounded.y)
        output[3 * index + 2] = UInt8(rounded.z)
      }
    }
  }

  private func readToTheEnd(_ picture: some PictureRows, from start: Int) throws(PictureFailure) {
    if start >= height { return }
    let column = columns.lowerBound..<columns.lowerBound + 1
    let pixels = UnsafeMutablePointer<UInt8>.allocate(capacity: stripHeight * 3)
    defer { pixels.deallocate() }
    for row in stride(from: start, to: height, by: stripHeight) {
      try picture.read(rows: row..<min(height, row + stripHeight), columns: column, into: pixels)
    }
  }
}
