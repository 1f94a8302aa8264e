/// Why bytes are no JSON that is read here.
package struct JSONFailure: Error, Hashable, Sendable {
  /// Where reading stopped, in bytes from the start.
  package var offset: Int
  /// What is wrong there, in one clause.
  package var detail: String
}

extension JSON {
  /// More bytes than this are not read.
  package static let maximumByteCount = 1 << 25
  /// Values may lie so deep inside each other.
  package static let maximumDepth = 200
  /// More values than this are not read.
  package static let maximumValueCount = 1 << 22

  /// Reads one value; nothing but space may follow it.
  ///
  /// - Throws: ``JSONFailure``.
  package init(parsing bytes: [UInt8]) throws(JSONFailure) {
    guard bytes.count <= Self.maximumByteCount else {
      throw JSONFailure(offset: 0, detail: "has \(bytes.count) bytes, more than the \(Self.maximumByteCount) allowed")
    }
    // A failure is handed out as a value, because a closure would forget its type.
    let result: Result<JSON, JSONFailure> = bytes.withUnsafeBufferPointer { buffer in
      var parser = JSONParser(bytes: buffer)
      do throws(JSONFailure) {
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == buffer.count else { throw parser.failure("text follows the value") }
        return .success(value)
      } catch {
        return .failure(error)
      }
    }
    self = try result.get()
  }
}

/// Reads JSON from bytes, one character after the other.
private struct JSONParser {
  let bytes: UnsafeBufferPointer<UInt8>
  private(set) var position = 0
  private var valueCount = 0

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  func failure(_ detail: String) -> JSONFailure { JSONFailure(offset: position, detail: detail) }

  mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }

  mutating func value(depth: Int) throws(JSONFailure) -> JSON {
    guard depth <= JSON.maximumDepth else { throw failure("values lie more than \(JSON.maximumDepth) deep") }
    valueCount += 1
    guard valueCount <= JSON.maximumValueCount else {
      throw failure("holds more than \(JSON.maximumValueCount) values")
    }
    skipSpace()
    guard let first = next else { throw failure("ends where a value is expected") }
    switch first {
    case UInt8(ascii: "{"): return .object(try object(depth: depth))
    case UInt8(ascii: "["): return .array(try array(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default:
      for (word, value) in Self.words where take(word: word) { return value }
      throw failure("no value begins like this")
    }
  }

  private static let words: [(StaticString, JSON)] = [
    ("null", .null), ("true", .bool(true)), ("false", .bool(false)), ("NaN", .number(.nan)),
    ("Infinity", .number(.infinity)),
  ]

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(word: StaticString) -> Bool {
    guard bytes.count - position >= word.utf8CodeUnitCount else { return false }
    for index in 0..<word.utf8CodeUnitCount where bytes[position + index] != word.utf8Start[index] { return false }
    position += word.utf8CodeUnitCount
    return true
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func object(depth: Int) throws(JSONFailure) -> JSONObject {
    position += 1
    var object = JSONObject()
    if take("}") { return object }
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw failure("a name in quotes is expected") }
      let key = try string()
      guard take(":") else { throw failure("a colon is expected") }
      object.members.append(JSONObject.Member(key: key, value: try value(depth: depth + 1)))
    } while take(",")
    guard take("}") else { throw failure("a comma or closing brace is expected") }
    return object
  }

  private mutating func array(depth: Int) throws(JSONFailure) -> [JSON] {
    position += 1
    var values: [JSON] = []
    if take("]") { return values }
    repeat { values.append(try value(depth: depth + 1)) } while take(",")
    guard take("]") else { throw failure("a comma or closing bracket is expected") }
    return values
  }

  private mutating func number() throws(JSONFailure) -> JSON {
    let start = position
    if take(word: "-Infinity") { return .number(-.infinity) }
    var isWhole = true
    position += 1
    scan: while let byte = next {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): break
      case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"):
        isWhole = false
      default: break scan
      }
      position += 1
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let value = Int(text) { return .integer(value) }
    guard let value = Double(text) else { throw failure("\(text.prefix(40)) is no number") }
    return .number(value)
  }

  private mutating func string() throws(JSONFailure) -> String {
    position += 1
    let start = position
    while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
    if next == UInt8(ascii: "\"") {
      position += 1
      return String(decoding: bytes[start..<position - 1], as: UTF8.self)
    }
    var units = Array(bytes[start..<position])
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: units, as: UTF8.self)
      case UInt8(ascii: "\\"): units.append(contentsOf: String(try escape()).utf8)
      default: units.append(byte)
      }
    }
    throw failure("a text has no end")
  }

  private mutating func escape() throws(JSONFailure) -> Unicode.Scalar {
    guard let byte = next else { throw failure("a text has no end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let first = try hexadecimal()
      guard first & 0xfc00 == 0xd800 else { return Unicode.Scalar(first) ?? "\u{fffd}" }
      let mark = position
      if take(word: "\\u") {
        let second = try hexadecimal()
        if second & 0xfc00 == 0xdc00 {
          return Unicode.Scalar(0x10000 + (first & 0x3ff) << 10 + (second & 0x3ff)) ?? "\u{fffd}"
        }
        position = mark
      }
      return "\u{fffd}"
    default: throw failure("a backslash stands before an unknown character")
    }
  }

  private mutating func hexadecimal() throws(JSONFailure) -> UInt32 {
    guard bytes.count - position >= 4,
      let value = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw failure("four hexadecimal digits are expected") }
    position += 4
    return value
  }
}
