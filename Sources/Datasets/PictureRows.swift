/// A picture whose rows can be read from top to bottom as 8-bit sRGB.
protocol PictureRows {
  /// The size of the picture in pixels, after it is turned upright.
  var width: Int { get }
  var height: Int { get }

  /// Reads the columns `columns` of the rows `rows` into `output`, red, green and blue without gaps.
  ///
  /// Rows come in rising order; rows may be skipped, but none is read twice.
  func read(rows: Range<Int>, columns: Range<Int>, into output: UnsafeMutablePointer<UInt8>) throws(PictureFailure)
}

/// Why a picture cannot be shown, as the rest of a sentence that its file's name begins.
struct PictureFailure: Error, Equatable {
  let detail: String
}
