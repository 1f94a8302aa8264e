import Foundation

/// Why an array of NumPy could not be read or written.
public struct NumPyError: Error, Hashable, Sendable {
  /// The kind of failure, for programs.
  public enum Code: String, Hashable, Sendable {
    /// The file cannot be opened or read.
    case unreadable
    /// The file is no `.npy` file, or ends too early.
    case damaged
    /// The array is of a kind that is not read here.
    case unsupported
    /// The file cannot be written.
    case writeFailed
  }

  /// The kind of failure.
  public var code: Code
  /// The file, as its user named it.
  public var file: String
  /// What was expected and what was found, in one clause.
  public var detail: String
}

extension NumPyError: CustomStringConvertible {
  /// One sentence for a person.
  public var description: String { "\(file): \(detail)" }
}

// MARK: - Reading

extension Tensor {
  /// Reads an array that NumPy saved: numbers of any type that a tensor can have but bf16, little-endian, in C order.
  ///
  /// The format is NEP 1's: `\x93NUMPY`, two version bytes, the header's length, and the header, a dictionary of Python
  /// with `descr`, `fortran_order` and `shape`.
  ///
  /// - Throws: `NumPyError` with code `unreadable`, `damaged` or `unsupported`.
  public init(npy path: String) throws(NumPyError) {
    let bytes: Data
    do {
      // Asked first, because the system's own words for what is wrong are shorter than Foundation's.
      let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
      guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
      close(descriptor)
      bytes = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    } catch {
      throw NumPyError(code: .unreadable, file: path, detail: "cannot be read: \(systemReason(error))")
    }
    try self.init(npy: bytes, name: path)
  }

  /// Reads an array from the bytes of a `.npy` file.
  ///
  /// - Parameter name: The file, for messages.
  /// - Throws: `NumPyError` with code `damaged` or `unsupported`.
  package init(npy bytes: Data, name: String) throws(NumPyError) {
    let header = try NumPyHeader(bytes, name: name)
    let found = bytes.count - header.byteCount
    var expected = header.elementType.byteCount
    for extent in header.shape {
      let (product, overflow) = expected.multipliedReportingOverflow(by: extent)
      guard !overflow else {
        throw NumPyError(code: .damaged, file: name, detail: "the shape \(header.shape) is too large")
      }
      expected = product
    }
    guard found == expected else {
      throw NumPyError(
        code: .damaged, file: name,
        detail: "expected \(expected) bytes of \(header.elementType.rawValue)\(Shape(header.shape)), found \(found)")
    }
    self.init(shape: Shape(header.shape), elementType: header.elementType) { target in
      bytes.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[header.byteCount...])) }
    }
  }
}

/// What stands before the numbers.
private struct NumPyHeader {
  /// Where the numbers begin.
  var byteCount = 0
  var elementType = ElementType.f32
  var shape: [Int] = []

  init(_ bytes: Data, name: String) throws(NumPyError) {
    func damaged(_ detail: String) -> NumPyError { NumPyError(code: .damaged, file: name, detail: detail) }
    let start = [UInt8](bytes.prefix(12))
    guard start.count >= 10, start.starts(with: magic) else {
      throw damaged("is no .npy file: it does not begin with \\x93NUMPY")
    }
    let wide = start[6] >= 2
    guard (1...3).contains(start[6]), start[7] == 0, start.count == 12 || !wide else {
      throw NumPyError(
        code: .unsupported, file: name,
        detail: "expected version 1.0 to 3.0 of the format, found \(start[6]).\(start[7])")
    }
    let lengthBytes = start[8..<(wide ? 12 : 10)]
    let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    byteCount = (wide ? 12 : 10) + length
    guard length <= 1 << 16, byteCount <= bytes.count else { throw damaged("ends inside of its header") }
    let text = String(
      decoding: bytes[bytes.startIndex + byteCount - length..<bytes.startIndex + byteCount], as: UTF8.self)
    var parser = HeaderParser(text, name: name)
    let entries = try parser.parse()
    guard entries.keys.sorted() == ["descr", "fortran_order", "shape"] else {
      throw damaged("expected descr, fortran_order and shape in the header, found \(entries.keys.sorted())")
    }
    guard case .text(let type)? = entries["descr"], case .truth(let isFortran)? = entries["fortran_order"],
      case .tuple(let extents)? = entries["shape"]
    else { throw damaged("its header has a value of the wrong kind") }
    guard let known = ElementType(numPyName: type) else {
      throw NumPyError(
        code: .unsupported, file: name,
        detail: "expected little-endian numbers such as <f4, <f8, <i4 or |u1, found \"\(type)\"")
    }
    guard !isFortran || extents.count < 2 else {
      throw NumPyError(
        code: .unsupported, file: name,
        detail: "is in Fortran order; save it with numpy.ascontiguousarray first")
    }
    elementType = known
    shape = extents
  }
}

private let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

/// Reads the one form of Python dictionary that NumPy writes.
private struct HeaderParser {
  enum Value {
    case text(String)
    case truth(Bool)
    case tuple([Int])
  }

  private var rest: Substring
  private let name: String

  init(_ text: String, name: String) {
    rest = text[...]
    self.name = name
  }

  mutating func parse() throws(NumPyError) -> [String: Value] {
    var entries: [String: Value] = [:]
    try expect("{")
    while !take("}") {
      let key = try quoted()
      try expect(":")
      guard entries.updateValue(try value(), forKey: key) == nil else { throw broken("\(key) stands there twice") }
      if !take(",") {
        try expect("}")
        break
      }
    }
    skipSpaces()
    guard rest.isEmpty else { throw broken("something follows the dictionary") }
    return entries
  }

  private mutating func value() throws(NumPyError) -> Value {
    skipSpaces()
    if take("True") { return .truth(true) }
    if take("False") { return .truth(false) }
    if take("(") { return .tuple(try extents()) }
    if rest.hasPrefix("[") {
      throw NumPyError(
        code: .unsupported, file: name, detail: "expected an array of plain numbers, found one of records")
    }
    return .text(try quoted())
  }

  private mutating func extents() throws(NumPyError) -> [Int] {
    var result: [Int] = []
    while !take(")") {
      skipSpaces()
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard let extent = Int(digits) else { throw broken("an extent is no whole number") }
      rest.removeFirst(digits.count)
      result.append(extent)
      if !take(",") {
        try expect(")")
        break
      }
    }
    return result
  }

  private mutating func quoted() throws(NumPyError) -> String {
    skipSpaces()
    guard let quote = rest.first, quote == "'" || quote == "\"" else { throw broken("a quote is missing") }
    rest.removeFirst()
    guard let end = rest.firstIndex(of: quote) else { throw broken("a quote is missing") }
    let text = String(rest[..<end])
    rest = rest[rest.index(after: end)...]
    return text
  }

  private mutating func take(_ token: String) -> Bool {
    skipSpaces()
    guard rest.hasPrefix(token) else { return false }
    rest.removeFirst(token.count)
    return true
  }

  private mutating func expect(_ token: String) throws(NumPyError) {
    guard take(token) else { throw broken("\"\(token)\" is missing") }
  }

  private mutating func skipSpaces() { rest = rest.drop { $0 == " " || $0 == "\n" } }

  private func broken(_ detail: String) -> NumPyError {
    NumPyError(code: .damaged, file: name, detail: "its header is no dictionary of NumPy: \(detail)")
  }
}

// MARK: - Writing

extension Tensor {
  /// Writes the tensor as NumPy's `save` would, version 1.0 of the format; the file appears whole or not at all.
  ///
  /// - Throws: `NumPyError` with code `writeFailed`, and `unsupported` for bf16, which NumPy has no name for.
  public func write(npy path: String) throws(NumPyError) {
    guard let bytes = npyBytes else {
      throw NumPyError(code: .unsupported, file: path, detail: "NumPy has no name for bf16; convert to f32 first")
    }
    do {
      try bytes.write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw NumPyError(code: .writeFailed, file: path, detail: "cannot be written: \(systemReason(error))")
    }
  }

  /// The bytes of a `.npy` file; nil for bf16.
  package var npyBytes: Data? {
    guard let type = elementType.numPyName else { return nil }
    let extents = shape.dimensions.map { "\($0)" }.joined(separator: ", ") + (shape.rank == 1 ? "," : "")
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(extents)), }"
    // The numbers begin at a multiple of 64 bytes.
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    var bytes = Data(magic)
    bytes.append(contentsOf: [1, 0, UInt8(header.utf8.count & 0xff), UInt8(header.utf8.count >> 8)])
    bytes.append(contentsOf: header.utf8)
    withUnsafeBytes { bytes.append(contentsOf: $0) }
    return bytes
  }
}

extension ElementType {
  /// NumPy's name of the type on a little-endian machine; nil where it has none.
  fileprivate var numPyName: String? {
    switch self {
    case .bf16: nil
    case .f16: "<f2"
    case .f32: "<f4"
    case .f64: "<f8"
    case .i8: "|i1"
    case .u8: "|u1"
    case .i16: "<i2"
    case .u16: "<u2"
    case .i32: "<i4"
    case .u32: "<u4"
    case .i64: "<i8"
    case .u64: "<u8"
    }
  }

  fileprivate init?(numPyName name: String) {
    guard let type = ElementType.allCases.first(where: { $0.numPyName == name }) else { return nil }
    self = type
  }
}

/// What the system said, without the frame that Foundation puts around it.
private func systemReason(_ error: any Error) -> String {
  if let error = error as? POSIXError { return String(cString: strerror(error.code.rawValue)) }
  let error = error as NSError
  if let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError, cause.domain == NSPOSIXErrorDomain {
    return String(cString: strerror(Int32(cause.code)))
  }
  return error.localizedDescription
}
