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
    if kind == .bitmap {
      try decodeBitmap(bytes, path: path, crop: crop, into: output)
    } else {
      try decodeEncoded(bytes, kind: kind, path: path, crop: crop, into: output)
    }
  }

  private func decodeEncoded(
    _ bytes: [UInt8], kind: PictureKind, path: String, crop: AugmentationDraw.Crop?,
    into output: UnsafeMutableBufferPointer<UInt8>
  ) throws(DatasetError) {
    var message = graft_vips_message()
    var pictureWidth: Int32 = 0
    var pictureHeight: Int32 = 0
    let headerStatus = bytes.withUnsafeBytes {
      graft_vips_read_size($0.baseAddress, $0.count, &pictureWidth, &pictureHeight, &message)
    }
    guard headerStatus == 0 else { throw damaged(path, kind, message) }
    try check(width: Int(pictureWidth), height: Int(pictureHeight), path: path)
    let framing = PictureFraming(width: Int(pictureWidth), height: Int(pictureHeight), decoder: self, crop: crop)
    let status = write(framing, to: output) { target, rowBytes in
      bytes.withUnsafeBytes {
        graft_vips_decode($0.baseAddress, $0.count, framing.window, target, rowBytes, &message)
      }
    }
    guard status == 0 else { throw damaged(path, kind, message) }
  }

  private func decodeBitmap(
    _ bytes: [UInt8], path: String, crop: AugmentationDraw.Crop?, into output: UnsafeMutableBufferPointer<UInt8>
  ) throws(DatasetError) {
    let bitmap: Bitmap
    do throws(Bitmap.Failure) {
      bitmap = try Bitmap(bytes)
    } catch {
      throw DatasetError(.picture, path, error.detail)
    }
    try check(width: bitmap.width, height: bitmap.height, path: path)
    let pixels: [UInt8]
    do throws(Bitmap.Failure) {
      pixels = try bitmap.pixels()
    } catch {
      throw DatasetError(.picture, path, error.detail)
    }
    var message = graft_vips_message()
    let framing = PictureFraming(width: bitmap.width, height: bitmap.height, decoder: self, crop: crop)
    let status = write(framing, to: output) { target, rowBytes in
      graft_vips_scale(
        pixels, Int32(bitmap.width), Int32(bitmap.height), framing.window, target, rowBytes, &message)
    }
    guard status == 0 else { throw damaged(path, .bitmap, message) }
  }

  /// Makes room for the picture in the output and has it written there.
  private func write(
    _ framing: PictureFraming, to output: UnsafeMutableBufferPointer<UInt8>,
    _ body: (UnsafeMutablePointer<UInt8>, Int) -> Int32
  ) -> Int32 {
    guard let base = output.baseAddress else { return -1 }
    if !framing.fills(self) { output.update(repeating: 255) }
    return body(base + (framing.outputTop * width + framing.outputLeft) * 3, width * 3)
  }

  private func check(width: Int, height: Int, path: String) throws(DatasetError) {
    let (pixelCount, overflow) = width.multipliedReportingOverflow(by: height)
    if overflow || pixelCount > pixelLimit {
      throw DatasetError(
        .picture, path, "declares \(width)x\(height) pixels, more than the \(pixelLimit) that are allowed")
    }
    if max(width, height) > 200 * min(width, height) {
      throw DatasetError(.picture, path, "has \(width)x\(height) pixels, a strip too thin to be shown to a model")
    }
  }

  private func damaged(_ path: String, _ kind: PictureKind, _ message: graft_vips_message) -> DatasetError {
    var message = message
    let text = withUnsafeBytes(of: &message.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let reason = text.isEmpty ? "" : " (\(text))"
    return DatasetError(.picture, path, "the \(kind.rawValue) data is damaged or ends early\(reason)")
  }
}
