import CVips

/// A JPEG, PNG, WebP, GIF or TIFF picture that libvips has open.
final class EncodedPicture: PictureRows {
  private(set) var width: Int
  private(set) var height: Int
  private let bytes: UnsafeRawBufferPointer
  private var picture: OpaquePointer

  /// Reads the header; the bytes have to stay as long as the picture.
  init(_ bytes: UnsafeRawBufferPointer) throws(PictureFailure) {
    guard let picture = graft_vips_open(bytes.baseAddress, bytes.count, 1) else { throw damage }
    self.bytes = bytes
    self.picture = picture
    (width, height) = size(of: picture)
  }

  deinit { graft_vips_close(picture) }

  /// Makes ready to read rows, of a JPEG perhaps at a half, a quarter or an eighth of its size.
  func prepare(shrink: Int) throws(PictureFailure) {
    if shrink > 1 {
      guard let smaller = graft_vips_open(bytes.baseAddress, bytes.count, Int32(shrink)) else { throw damage }
      graft_vips_close(picture)
      picture = smaller
      (width, height) = size(of: picture)
    }
    if graft_vips_prepare(picture) != 0 { throw damage }
  }

  func read(rows: Range<Int>, columns: Range<Int>, into output: UnsafeMutablePointer<UInt8>) throws(PictureFailure) {
    let status = graft_vips_read_rows(
      picture, Int32(columns.lowerBound), Int32(rows.lowerBound), Int32(columns.count), Int32(rows.count), output)
    if status != 0 { throw damage }
  }

  /// Calls `body`, which decodes one picture, and adds to its failure what libvips has to say.
  ///
  /// What fails beside other pictures is done once more alone, so that the words are about this one.
  static func withMessage(_ body: () throws(PictureFailure) -> Void) throws(PictureFailure) {
    var message = graft_vips_message()
    do throws(PictureFailure) {
      graft_vips_begin(0)
      defer { graft_vips_end(0, &message) }
      return try body()
    } catch {
      if error != damage { throw error }
    }
    let failure: PictureFailure
    do throws(PictureFailure) {
      graft_vips_begin(1)
      defer { graft_vips_end(1, &message) }
      return try body()
    } catch {
      failure = error
    }
    let text = withUnsafeBytes(of: &message.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    // Where none of the loaders takes the bytes, libvips tries those that are closed and says so.
    let reason = text.isEmpty || text.hasSuffix("operation is blocked") ? "" : " (\(text))"
    throw PictureFailure(detail: failure.detail + reason)
  }
}

private let damage = PictureFailure(detail: "data is damaged or ends early")

private func size(of picture: OpaquePointer) -> (width: Int, height: Int) {
  var width: Int32 = 0
  var height: Int32 = 0
  graft_vips_get_size(picture, &width, &height)
  return (Int(width), Int(height))
}
