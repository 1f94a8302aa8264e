import CVips

extension Dataset {
  /// The middle one of the longer sides of some pictures as their headers declare them, in pixels.
  ///
  /// The pictures are spread evenly over the data set; those that cannot be read do not count.
  ///
  /// - Parameter count: How many pictures are looked at.
  /// - Returns: Nil where none of them can be read.
  public func typicalPictureSide(among count: Int = 32) -> Int? {
    precondition(count > 0, "some pictures are looked at")
    let stride = max(1, (samples.count + count - 1) / count)
    let sides = Swift.stride(from: 0, to: samples.count, by: stride).compactMap {
      PictureDecoder.declaredSize(of: file(of: $0)).map { max($0.width, $0.height) }
    }.sorted()
    return sides.isEmpty ? nil : sides[sides.count / 2]
  }
}

extension PictureDecoder {
  /// The size that a picture's header declares; nil where the file is no picture that can be read.
  static func declaredSize(of path: String) -> (width: Int, height: Int)? {
    guard graft_vips_start() == 0, let bytes = try? fileBytes(path, limit: 1 << 30, code: .picture),
      let kind = PictureKind(bytes)
    else { return nil }
    func size(of picture: some PictureRows) -> (width: Int, height: Int) { (picture.width, picture.height) }
    if kind == .bitmap { return (try? Bitmap(bytes)).map { size(of: $0) } }
    var found: (width: Int, height: Int)?
    try? EncodedPicture.withMessage { () throws(PictureFailure) in
      found = try bytes.withUnsafeBufferPointer { bytes throws(PictureFailure) in
        size(of: try EncodedPicture(UnsafeRawBufferPointer(bytes)))
      }
    }
    return found
  }
}
