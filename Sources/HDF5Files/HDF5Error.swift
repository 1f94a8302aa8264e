/// Why an HDF5 file could not be read or written.
public struct HDF5Error: Error, Hashable, Sendable {
  /// What kind of thing went wrong.
  public enum Code: String, Hashable, Sendable {
    /// No file is there.
    case missingFile
    /// The path names a folder or a device.
    case notAFile
    /// The system does not let us read or write here.
    case noPermission
    /// The bytes do not begin like an HDF5 file.
    case notHDF5
    /// The file ends before its contents do.
    case truncated
    /// The file contradicts itself.
    case damaged
    /// The file has no object or attribute of this name.
    case missingObject
    /// A group where a dataset was expected, or the other way round.
    case wrongKind
    /// The name is a soft, external or user-defined link.
    case refusedLink
    /// The elements lie in another file or dataset.
    case refusedStorage
    /// The chunks are packed by a filter other than deflate, shuffle and fletcher32.
    case refusedFilter
    /// The elements are no numbers or strings that tensors know.
    case unsupportedType
    /// More bytes are declared than the file holds.
    case notBacked
    /// A count or size is beyond what this reader or the format allows.
    case tooLarge
    /// A group contains itself.
    case cycle
    /// A name cannot be written, or is taken.
    case invalidName
    /// The system or the library could not write.
    case writeFailed
    /// The process that read the file crashed, or took more time or memory than it may.
    case readerStopped
    /// The program that reads files apart from this one is not there or cannot run.
    case readerMissing
  }

  /// What kind of thing went wrong.
  public var code: Code
  /// The file, as its user named it.
  public var file: String
  /// The object or attribute inside the file, if one is to blame.
  public var object: String?
  /// What is wrong with it: a clause that goes on from the name.
  public var detail: String

  /// An error of the given kind about a file, or about an object inside it.
  public init(_ code: Code, file: String, object: String? = nil, detail: String) {
    self.code = code
    self.file = file
    self.object = object
    self.detail = detail
  }
}

extension HDF5Error: CustomStringConvertible {
  /// One sentence that names the file, the object and what is wrong.
  public var description: String {
    let subject = object.map { "\(file): \($0.clipped)" } ?? file
    return "\(subject) \(detail)".withVisibleControlCharacters
  }
}

extension String {
  /// The text without its middle, where it is longer than a sentence should be.
  fileprivate var clipped: String { utf8.count <= 300 ? self : "\(prefix(160))…\(suffix(80))" }

  /// Control characters, which a hostile file could use to confuse a terminal, are spelled as escapes.
  fileprivate var withVisibleControlCharacters: String {
    guard unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      text += scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
    }
  }
}

/// A number of bytes as people say it: `12 bytes`, `4.0 GB`.
func spokenByteCount(_ count: some BinaryInteger) -> String {
  let units = ["kB", "MB", "GB", "TB", "PB", "EB"]
  var tenths = UInt64(clamping: count)
  if tenths < 1000 { return tenths == 1 ? "1 byte" : "\(tenths) bytes" }
  var unit = 0
  // The value is kept in tenths of the unit after the one it has outgrown.
  tenths /= 100
  while tenths >= 10_000 && unit + 1 < units.count {
    tenths /= 1000
    unit += 1
  }
  return "\(tenths / 10).\(tenths % 10) \(units[unit])"
}
