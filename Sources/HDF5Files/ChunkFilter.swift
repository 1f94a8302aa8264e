import CHDF5

/// One step that packs the bytes of a chunk.
enum ChunkFilter: Hashable {
  /// Compression by zlib.
  case deflate
  /// First bytes of all elements first, then all second bytes, and so on.
  ///
  /// The size is zero where the filter did not suit the elements; then every chunk says that it was skipped.
  case shuffle(elementByteCount: Int)
  /// Four bytes of checksum at the end.
  case fletcher32

  /// The filters of a dataset, first to last.
  ///
  /// - Throws: ``HDF5Error`` with `refusedFilter` or `damaged`.
  static func pipeline(_ list: HDF5Handle, context: HDF5Context, path: String) throws(HDF5Error) -> [ChunkFilter] {
    let count = H5Pget_nfilters(list.id)
    if count < 0 { throw context.damage(path) }
    var filters: [ChunkFilter] = []
    for index in 0..<UInt32(count) {
      var flags: UInt32 = 0
      var configuration: UInt32 = 0
      var values = [UInt32](repeating: 0, count: 8)
      var valueCount = values.count
      var name = [CChar](repeating: 0, count: 64)
      let identifier = H5Pget_filter2(
        list.id, index, &flags, &valueCount, &values, name.count - 1, &name, &configuration)
      switch identifier {
      case ..<0: throw context.damage(path)
      case H5Z_FILTER_DEFLATE: filters.append(.deflate)
      case H5Z_FILTER_FLETCHER32: filters.append(.fletcher32)
      case H5Z_FILTER_SHUFFLE:
        filters.append(.shuffle(elementByteCount: valueCount > 0 ? Int(values[0]) : 0))
      default:
        let known = knownNames[identifier] ?? String(decoding: name.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        let words = known.isEmpty ? "\(identifier)" : "\(identifier) (\(known))"
        throw context.error(
          .refusedFilter, path, "is packed by filter \(words); only deflate, shuffle and fletcher32 are read")
      }
    }
    // Deflate after deflate would multiply what a small file can stand for.
    for filter in [ChunkFilter.deflate, .fletcher32] where filters.count(where: { $0 == filter }) > 1 {
      throw context.error(.refusedFilter, path, "is packed by the same filter twice")
    }
    guard filters.count <= 4 else { throw context.error(.refusedFilter, path, "is packed by \(count) filters") }
    return filters
  }

  private static let knownNames: [H5Z_filter_t: String] = [
    4: "szip", 5: "nbit", 6: "scaleoffset", 307: "bzip2", 32000: "lzf", 32001: "blosc", 32004: "lz4", 32013: "zfp",
    32015: "zstd", 32026: "blosc2",
  ]
}

extension ChunkFilter {
  /// Undoes filters, last to first, where every step knows how many bytes must come out of it.
  ///
  /// libhdf5 lets a chunk inflate to whatever it likes, and then takes it for as long as it should be.
  static func undo(
    _ filters: [ChunkFilter], stored: [UInt8], chunkByteCount: Int
  ) throws(ChunkFailure) -> [UInt8] {
    // How long the bytes are before each filter: only fletcher32 adds a known number, deflate leaves it open.
    var lengths = [chunkByteCount]
    for filter in filters { lengths.append((lengths.last ?? 0) + (filter == .fletcher32 ? 4 : 0)) }
    var bytes = stored
    for (filter, length) in zip(filters, lengths).reversed() {
      switch filter {
      case .deflate: bytes = try inflate(bytes, to: length)
      case .shuffle(0): throw .shuffle
      case .shuffle(let size): bytes = unshuffle(bytes, elementByteCount: size)
      case .fletcher32: try dropChecksum(&bytes)
      }
    }
    guard bytes.count == chunkByteCount else { throw .length(bytes.count) }
    return bytes
  }

  private static func inflate(_ packed: [UInt8], to byteCount: Int) throws(ChunkFailure) -> [UInt8] {
    var status = Z_OK
    let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      var produced = uLongf(byteCount)
      status = uncompress(buffer.baseAddress, &produced, packed, uLong(packed.count))
      count = status == Z_OK ? Int(produced) : 0
    }
    switch status {
    case Z_OK: break
    case Z_MEM_ERROR: throw .deflate("zlib is out of memory")
    case Z_BUF_ERROR: throw .deflate("the deflated bytes do not end where the chunk does")
    default: throw .deflate("the deflated bytes are no deflate stream")
    }
    guard bytes.count == byteCount else { throw .length(bytes.count) }
    return bytes
  }

  private static func unshuffle(_ bytes: [UInt8], elementByteCount size: Int) -> [UInt8] {
    let elementCount = bytes.count / size
    if size == 1 || elementCount <= 1 { return bytes }
    return [UInt8](unsafeUninitializedCapacity: bytes.count) { output, count in
      bytes.withUnsafeBufferPointer { input in
        for plane in 0..<size {
          let from = plane * elementCount
          var to = plane
          for index in 0..<elementCount {
            output[to] = input[from + index]
            to += size
          }
        }
        // Bytes after the last whole element stay where they were.
        for index in elementCount * size..<input.count { output[index] = input[index] }
      }
      count = bytes.count
    }
  }

  private static func dropChecksum(_ bytes: inout [UInt8]) throws(ChunkFailure) {
    guard bytes.count >= 4 else { throw .length(bytes.count) }
    let stored = bytes.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    bytes.removeLast(4)
    let checksum = Fletcher32.checksum(bytes)
    // Old releases on big-endian machines wrote each half with its bytes turned around.
    let turned = checksum & 0xff00_ff00 >> 8 | (checksum & 0x00ff_00ff) << 8
    guard stored == checksum || stored == turned else { throw .checksum }
  }
}

/// Why the bytes of a chunk could not be unpacked.
enum ChunkFailure: Error {
  /// The checksum is another.
  case checksum
  /// The compressed bytes are wrong, in words.
  case deflate(String)
  /// The bytes are shuffled, but nobody knows for which size of elements.
  case shuffle
  /// Another number of bytes came out than the chunk has.
  case length(Int)

  /// The failure as a clause after "has a chunk".
  var clause: String {
    switch self {
    case .checksum: "whose checksum is wrong"
    case .deflate(let words): "that cannot be unpacked: \(words)"
    case .shuffle: "that is shuffled without saying how"
    case .length(let count): "that unpacks to \(spokenByteCount(count)), not to its full size"
    }
  }
}

/// Fletcher's checksum over words of 16 bits, highest byte first.
enum Fletcher32 {
  /// The checksum of `bytes`; an odd last byte counts as the high half of a word.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBufferPointer { bytes in
      var low: UInt32 = 0
      var high: UInt32 = 0
      let even = bytes.count & ~1
      var index = 0
      while index < even {
        // 360 words are the most whose sums of sums stay below 2³².
        let end = min(index + 720, even)
        while index < end {
          low &+= UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
          high &+= low
          index += 2
        }
        low = (low & 0xffff) + (low >> 16)
        high = (high & 0xffff) + (high >> 16)
      }
      if even < bytes.count {
        low += UInt32(bytes[even]) << 8
        high += low
      }
      low = (low & 0xffff) + (low >> 16)
      high = (high & 0xffff) + (high >> 16)
      low = (low & 0xffff) + (low >> 16)
      high = (high & 0xffff) + (high >> 16)
      return high << 16 | low
    }
  }
}
