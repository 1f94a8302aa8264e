/// The eight bytes that an HDF5 file begins with, or that follow a user block of 512, 1024, 2048 … bytes.
enum FileSignature {
  private static let bytes: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]

  /// Whether the contents of a file carry the signature.
  static func isPresent(in contents: UnsafeRawBufferPointer) -> Bool {
    starts(within: contents.count).contains { contents[$0..<$0 + bytes.count].elementsEqual(bytes) }
  }

  /// Looks at a file before libhdf5 does.
  ///
  /// - Throws: ``HDF5Error`` with `notHDF5`.
  static func check(_ file: OpenedFile) throws(HDF5Error) {
    if starts(within: file.byteCount).contains(where: { file.bytes(at: $0, count: bytes.count) == bytes }) { return }
    if file.byteCount == 0 { throw HDF5Error(.notHDF5, file: file.name, detail: "is empty, not an HDF5 file") }
    throw missing(in: file.name)
  }

  /// The error for a file without the signature.
  static func missing(in file: String) -> HDF5Error {
    HDF5Error(.notHDF5, file: file, detail: "is not an HDF5 file: it lacks the signature that those begin with")
  }

  private static func starts(within size: Int) -> [Int] {
    var starts: [Int] = []
    var start = 0
    while start <= size - bytes.count {
      starts.append(start)
      start = start == 0 ? 512 : start * 2
    }
    return starts
  }
}
