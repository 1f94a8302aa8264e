import CVips
import Tensors

/// Turns picture files into 8-bit sRGB of one size: what a model is shown.
///
/// JPEG, PNG, WebP, GIF (the first frame), TIFF (the first page) and BMP, told by their content. Pictures are turned
/// upright by their EXIF orientation; alpha is laid on white; grey, 16-bit, CMYK and colour profiles are brought to sRGB.
/// Scaling averages over all pixels that fall together. A file that is damaged or ends early is an error, never a
/// picture with grey bars.
///
/// ## Shapes
/// - output: `[height, width, 3]`, red, green, blue, 0…255
public struct PictureDecoder: Hashable, Sendable {
  /// The width of the output in pixels.
  public let width: Int
  /// The height of the output in pixels.
  public let height: Int
  /// How a picture of another shape is brought to the size.
  public let fit: Fit
  /// The largest picture that is decoded, in pixels as its header declares them.
  public var pixelLimit = 1 << 28
  /// The largest file that is read, in bytes.
  public var byteLimit = 1 << 30

  /// A decoder to the given size.
  public init(width: Int, height: Int, fit: Fit = .crop) {
    precondition(1...8192 ~= width && 1...8192 ~= height, "pictures have a side of 1 to 8192 pixels")
    self.width = width
    self.height = height
    self.fit = fit
  }

  /// A decoder to squares with sides of `size` pixels.
  public init(size: Int, fit: Fit = .crop) {
    self.init(width: size, height: size, fit: fit)
  }

  /// The number of bytes of one output.
  public var byteCount: Int { width * height * 3 }

  /// The picture in a file as a tensor of `u8`.
  ///
  /// - Throws: ``DatasetError`` with ``DatasetError/Code/picture`` where the file cannot be read or decoded.
  public func picture(at path: String) throws(DatasetError) -> Tensor {
    try Tensor(shape: [height, width, 3], elementType: .u8) { bytes throws(DatasetError) in
      try decode(path, into: bytes.bindMemory(to: UInt8.self))
    }
  }

  /// Decodes a file into `output`, which holds ``byteCount`` bytes.
  ///
  /// - Throws: ``DatasetError`` with ``DatasetError/Code/picture`` where the file cannot be read or decoded; the output
  ///   holds nothing of use then.
  public func decode(_ path: String, into output: UnsafeMutableBufferPointer<UInt8>) throws(DatasetError) {
    try decode(path, crop: nil, into: output)
  }

  /// Decodes a part of a picture instead of what the fit alone would show.
  func decode(
    _ path: String, crop: AugmentationDraw.Crop?, into output: UnsafeMutableBufferPointer<UInt8>
  ) throws(DatasetError) {
    precondition(output.count == byteCount, "a picture takes \(byteCount) bytes, the output has \(output.count)")
    guard graft_vips_start() == 0 else { throw DatasetError(.picture, path, "libvips does not start") }
    let bytes = try fileBytes(path, limit: byteLimit, code: .picture)
    guard let kind = PictureKind(bytes) else {
      throw DatasetError(
        .picture, path, "expected a JPEG, PNG, WebP, GIF, TIFF or BMP picture, found \(PictureKind.guess(bytes))")
    }
    do throws(PictureFailure) {
      if kind == .bitmap {
        try show(Bitmap(bytes), crop: crop, in: output) { (_, _) throws(PictureFailure) in }
      } else {
        try decodeEncoded(bytes, kind: kind, crop: crop, into: output)
      }
    } catch {
      let words = error.detail.hasPrefix("data ") ? "the \(kind.rawValue) \(error.detail)" : error.detail
      throw DatasetError(.picture, path, words)
    }
  }

  private func decodeEncoded(
    _ bytes: [UInt8], kind: PictureKind, crop: AugmentationDraw.Crop?, into output: UnsafeMutableBufferPointer<UInt8>
  ) throws(PictureFailure) {
    try EncodedPicture.withMessage { () throws(PictureFailure) in
      try bytes.withUnsafeBufferPointer { bytes throws(PictureFailure) in
        try show(EncodedPicture(UnsafeRawBufferPointer(bytes)), crop: crop, in: output) {
          picture, framing throws(PictureFailure) in
          let shrink = kind == .jpeg ? framing.shrink(width: picture.width, height: picture.height) : 1
          try picture.prepare(shrink: shrink)
        }
      }
    }
  }

  /// Frames an open picture, has it made ready, and scales its rows.
  private func show<Picture: PictureRows>(
    _ picture: Picture, crop: AugmentationDraw.Crop?, in output: UnsafeMutableBufferPointer<UInt8>,
    prepare: (Picture, PictureFraming) throws(PictureFailure) -> Void
  ) throws(PictureFailure) {
    try check(width: picture.width, height: picture.height)
    let framing = PictureFraming(width: picture.width, height: picture.height, decoder: self, crop: crop)
    try prepare(picture, framing)
    if framing.horizontal.output.count < width || framing.vertical.output.count < height {
      output.update(repeating: 255)
    }
    try PictureScaler(framing, width: picture.width, height: picture.height)
      .scale(picture, into: output, outputWidth: width)
  }

  private func check(width: Int, height: Int) throws(PictureFailure) {
    let (pixelCount, overflow) = width.multipliedReportingOverflow(by: height)
    if overflow || pixelCount > pixelLimit {
      throw PictureFailure(
        detail: "declares \(width)x\(height) pixels, more than the \(pixelLimit) that are allowed")
    }
    if max(width, height) > 200 * min(width, height) {
      throw PictureFailure(detail: "has \(width)x\(height) pixels, a strip too thin to be shown to a model")
    }
  }
}
