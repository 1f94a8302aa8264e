/// An uncompressed Windows or OS/2 bitmap: 1, 4, 8, 16, 24 or 32 bits a pixel, its rows in either order.
///
/// Every number of the file is checked before it is used; a file that backs fewer pixels than it declares is refused
/// before anything is allocated for them.
struct Bitmap: PictureRows {
  let width: Int
  let height: Int
  private let bytes: [UInt8]
  private let bitsPerPixel: Int
  private let isTopDown: Bool
  private let pixelOffset: Int
  private let rowBytes: Int
  private let palette: [(red: UInt8, green: UInt8, blue: UInt8)]
  private let masks: Masks?

  /// Reads the headers and the palette.
  init(_ bytes: [UInt8]) throws(PictureFailure) {
    self.bytes = bytes
    let reader = Reader(bytes: bytes)
    let headerSize = Int(try reader.unsigned32(14))
    let isCore = headerSize == 12
    guard isCore || 40...124 ~= headerSize else {
      throw PictureFailure(detail: "expected a BMP header of 12 or 40 to 124 bytes, found \(headerSize)")
    }
    let declaredHeight = isCore ? Int(try reader.unsigned16(20)) : Int(try reader.signed32(22))
    width = isCore ? Int(try reader.unsigned16(18)) : Int(try reader.signed32(18))
    height = abs(declaredHeight)
    isTopDown = declaredHeight < 0
    guard width > 0, height > 0 else {
      throw PictureFailure(detail: "the BMP header declares \(width)x\(declaredHeight) pixels")
    }
    bitsPerPixel = Int(try reader.unsigned16(isCore ? 24 : 28))
    guard [1, 4, 8, 16, 24, 32].contains(bitsPerPixel) else {
      throw PictureFailure(detail: "expected 1, 4, 8, 16, 24 or 32 bits a pixel in a BMP, found \(bitsPerPixel)")
    }
    let compression = isCore ? 0 : Int(try reader.unsigned32(30))
    let namesMasks = (compression == 3 || compression == 6) && bitsPerPixel >= 16 && bitsPerPixel != 24
    guard compression == 0 || namesMasks else {
      let name = [1: "RLE8", 2: "RLE4", 4: "JPEG", 5: "PNG"][compression] ?? "kind \(compression)"
      throw PictureFailure(
        detail: "expected a BMP without compression, found \(name); save it as PNG or uncompressed BMP")
    }

    // Masks follow a header of 40 bytes and are inside of a longer one.
    if namesMasks {
      let hasAlpha = compression == 6 || headerSize >= 56
      masks = try Masks(
        red: try reader.unsigned32(54), green: try reader.unsigned32(58), blue: try reader.unsigned32(62),
        alpha: hasAlpha ? try reader.unsigned32(66) : 0)
    } else {
      masks = bitsPerPixel == 16 ? try Masks(red: 0x7c00, green: 0x3e0, blue: 0x1f, alpha: 0) : nil
    }
    palette = bitsPerPixel <= 8 ? try reader.palette(headerSize: headerSize, bitsPerPixel: bitsPerPixel) : []

    pixelOffset = Int(try reader.unsigned32(10))
    rowBytes = (width * bitsPerPixel + 31) / 32 * 4
    let (needed, overflow) = rowBytes.multipliedReportingOverflow(by: height)
    guard !overflow, pixelOffset >= 14 + headerSize, pixelOffset <= bytes.count, needed <= bytes.count - pixelOffset
    else {
      throw PictureFailure(
        detail: "the BMP data ends early: \(width)x\(height) pixels of \(bitsPerPixel) bits do not fit into the "
          + "\(bytes.count) bytes of the file")
    }
  }

  func read(rows: Range<Int>, columns: Range<Int>, into output: UnsafeMutablePointer<UInt8>) throws(PictureFailure) {
    var strangeColour: Int?
    bytes.withUnsafeBufferPointer { bytes in
      for (index, row) in rows.enumerated() {
        let start = pixelOffset + (isTopDown ? row : height - 1 - row) * rowBytes
        let input = UnsafeBufferPointer(rebasing: bytes[start..<start + rowBytes])
        let target = output + index * columns.count * 3
        switch bitsPerPixel {
        case 24: copyTriples(input, step: 3, columns, to: target)
        case 32 where masks == nil: copyTriples(input, step: 4, columns, to: target)
        case 16, 32: copyMasked(input, columns, to: target)
        default: strangeColour = copyIndexed(input, columns, to: target) ?? strangeColour
        }
      }
    }
    if let strangeColour {
      throw PictureFailure(detail: "a BMP pixel has colour \(strangeColour) of a palette of \(palette.count)")
    }
  }

  private func copyTriples(
    _ input: UnsafeBufferPointer<UInt8>, step: Int, _ columns: Range<Int>, to output: UnsafeMutablePointer<UInt8>
  ) {
    for (index, x) in columns.enumerated() {
      output[3 * index] = input[step * x + 2]
      output[3 * index + 1] = input[step * x + 1]
      output[3 * index + 2] = input[step * x]
    }
  }

  private func copyMasked(
    _ input: UnsafeBufferPointer<UInt8>, _ columns: Range<Int>, to output: UnsafeMutablePointer<UInt8>
  ) {
    guard let masks else { return }
    let step = bitsPerPixel / 8
    for (index, x) in columns.enumerated() {
      var word: UInt32 = 0
      for byte in 0..<step { word |= UInt32(input[step * x + byte]) << UInt32(8 * byte) }
      let alpha = masks.alpha?.value(word) ?? 255
      func laidOnWhite(_ channel: Masks.Channel) -> UInt8 {
        UInt8((channel.value(word) * alpha + 255 * (255 - alpha) + 127) / 255)
      }
      output[3 * index] = laidOnWhite(masks.red)
      output[3 * index + 1] = laidOnWhite(masks.green)
      output[3 * index + 2] = laidOnWhite(masks.blue)
    }
  }

  /// Looks pixels up in the palette; returns the first that it does not have.
  private func copyIndexed(
    _ input: UnsafeBufferPointer<UInt8>, _ columns: Range<Int>, to output: UnsafeMutablePointer<UInt8>
  ) -> Int? {
    let perByte = 8 / bitsPerPixel
    let mask = (1 << bitsPerPixel) - 1
    for (index, x) in columns.enumerated() {
      let shift = 8 - bitsPerPixel * (x % perByte + 1)
      let colour = (Int(input[x / perByte]) >> shift) & mask
      guard colour < palette.count else { return colour }
      output[3 * index] = palette[colour].red
      output[3 * index + 1] = palette[colour].green
      output[3 * index + 2] = palette[colour].blue
    }
    return nil
  }
}

/// Which bits of a pixel are which channel.
private struct Masks {
  struct Channel {
    let shift: UInt32
    let largest: UInt32

    /// The channel of a pixel, brought to 0…255.
    func value(_ word: UInt32) -> UInt32 {
      UInt32((UInt64((word >> shift) & largest) * 255 + UInt64(largest) / 2) / UInt64(largest))
    }
  }

  let red: Channel
  let green: Channel
  let blue: Channel
  let alpha: Channel?

  init(red: UInt32, green: UInt32, blue: UInt32, alpha: UInt32) throws(PictureFailure) {
    func channel(_ mask: UInt32, _ name: String) throws(PictureFailure) -> Channel {
      guard mask != 0, mask >> mask.trailingZeroBitCount & ((mask >> mask.trailingZeroBitCount) &+ 1) == 0 else {
        throw PictureFailure(
          detail: "expected one run of bits as the BMP's mask of \(name), found 0x\(String(mask, radix: 16))")
      }
      return Channel(shift: UInt32(mask.trailingZeroBitCount), largest: mask >> mask.trailingZeroBitCount)
    }
    self.red = try channel(red, "red")
    self.green = try channel(green, "green")
    self.blue = try channel(blue, "blue")
    self.alpha = alpha == 0 ? nil : try channel(alpha, "alpha")
  }
}

/// Little-endian numbers at checked places.
private struct Reader {
  let bytes: [UInt8]

  func unsigned16(_ offset: Int) throws(PictureFailure) -> UInt16 {
    guard offset + 2 <= bytes.count else { throw PictureFailure(detail: "the BMP ends inside of its header") }
    return UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8
  }

  func unsigned32(_ offset: Int) throws(PictureFailure) -> UInt32 {
    UInt32(try unsigned16(offset)) | UInt32(try unsigned16(offset + 2)) << 16
  }

  func signed32(_ offset: Int) throws(PictureFailure) -> Int32 { Int32(bitPattern: try unsigned32(offset)) }

  /// The palette behind the header: blue, green, red, and in all but the oldest headers an unused byte.
  func palette(
    headerSize: Int, bitsPerPixel: Int
  ) throws(PictureFailure) -> [(red: UInt8, green: UInt8, blue: UInt8)] {
    let most = 1 << bitsPerPixel
    let declared = headerSize == 12 ? 0 : Int(try unsigned32(46))
    guard declared <= most else {
      throw PictureFailure(detail: "expected at most \(most) colours in the BMP's palette, found \(declared)")
    }
    let count = declared == 0 ? most : declared
    let step = headerSize == 12 ? 3 : 4
    let start = 14 + headerSize
    guard start + count * step <= bytes.count else {
      throw PictureFailure(detail: "the BMP ends inside of its palette")
    }
    return (0..<count).map { entry in
      let place = start + entry * step
      return (bytes[place + 2], bytes[place + 1], bytes[place])
    }
  }
}
