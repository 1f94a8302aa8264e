/// The kind of a picture file, told by its first bytes and never by its name.
enum PictureKind: String {
  case jpeg = "JPEG"
  case png = "PNG"
  case webp = "WebP"
  case gif = "GIF"
  case tiff = "TIFF"
  case bitmap = "BMP"

  /// The kind whose signature the bytes begin with.
  init?(_ bytes: [UInt8]) {
    func starts(_ text: StaticString, at offset: Int = 0) -> Bool {
      text.withUTF8Buffer { bytes.count >= offset + $0.count && bytes.dropFirst(offset).starts(with: $0) }
    }
    if bytes.starts(with: [0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
      self = .png
    } else if starts("RIFF") && starts("WEBP", at: 8) {
      self = .webp
    } else if starts("GIF87a") || starts("GIF89a") {
      self = .gif
    } else if starts("II*\0") || starts("MM\0*") || starts("II+\0") || starts("MM\0+") {
      self = .tiff
    } else if starts("BM") {
      self = .bitmap
    } else {
      return nil
    }
  }

  /// What bytes that are no known picture seem to be, for a message.
  static func guess(_ bytes: [UInt8]) -> String {
    if bytes.isEmpty { return "an empty file" }
    if bytes.starts(with: Array("%PDF".utf8)) { return "a PDF" }
    if bytes.count >= 12, bytes[4..<8].elementsEqual("ftyp".utf8) {
      let brand = String(decoding: bytes[8..<12], as: UTF8.self)
      return ["heic", "heix", "mif1", "avif"].contains(brand) ? "an HEIF or AVIF picture" : "a film"
    }
    let head = bytes.prefix(512)
    let isText = head.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x0a || $0 == 0x0d || $0 == 0x09 }
    return isText ? "text" : "data of no known kind"
  }
}
