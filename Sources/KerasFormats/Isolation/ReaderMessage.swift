/// What stands in a message between a reader and the process that asked: numbers and texts, one behind the other.
struct MessageWriter {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ number: Int) {
    withUnsafeBytes(of: Int64(number).littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func append(_ block: [UInt8]) {
    append(block.count)
    bytes.append(contentsOf: block)
  }

  mutating func append(_ text: String) { append(Array(text.utf8)) }

  mutating func append<Value>(_ value: Value?, _ write: (inout MessageWriter, Value) -> Void) {
    append(value == nil ? 0 : 1)
    if let value { write(&self, value) }
  }

  mutating func append<Value>(all values: [Value], _ write: (inout MessageWriter, Value) -> Void) {
    append(values.count)
    for value in values { write(&self, value) }
  }
}

/// A message that does not say what a sound reader says.
struct MessageFailure: Error {}

/// Takes a message apart that may hold anything.
struct MessageReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func number() throws(MessageFailure) -> Int {
    guard bytes.count - position >= 8 else { throw MessageFailure() }
    let value = bytes[position..<position + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    position += 8
    return Int(Int64(bitPattern: value))
  }

  /// A number from a range.
  mutating func number(in range: ClosedRange<Int>) throws(MessageFailure) -> Int {
    let value = try number()
    guard range.contains(value) else { throw MessageFailure() }
    return value
  }

  mutating func block() throws(MessageFailure) -> [UInt8] {
    let count = try number(in: 0...(bytes.count - position))
    guard count <= bytes.count - position else { throw MessageFailure() }
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  mutating func text() throws(MessageFailure) -> String { String(decoding: try block(), as: UTF8.self) }

  mutating func optional<Value>(
    _ read: (inout MessageReader) throws(MessageFailure) -> Value
  ) throws(MessageFailure) -> Value? {
    try number(in: 0...1) == 1 ? try read(&self) : nil
  }

  mutating func all<Value>(
    _ read: (inout MessageReader) throws(MessageFailure) -> Value
  ) throws(MessageFailure) -> [Value] {
    // Every value takes a byte at least, so a count that is claimed takes no memory before its values are there.
    let count = try number(in: 0...bytes.count)
    var values: [Value] = []
    for _ in 0..<count { values.append(try read(&self)) }
    return values
  }

  /// Nothing may follow.
  func finish() throws(MessageFailure) {
    guard position == bytes.count else { throw MessageFailure() }
  }
}
