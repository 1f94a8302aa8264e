/// The records of a CSV file as RFC 4180 describes it, read strictly.
///
/// Lines end with CR LF, LF or CR; a byte order mark is passed over. Cells may be quoted, and then hold commas, line
/// breaks and doubled quotes. Spaces belong to a cell. Lines without anything on them are left out.
struct CSVTable {
  /// The cells of one record and the line that it begins on, counted from 1.
  struct Record: Equatable {
    let line: Int
    let cells: [String]
  }

  private(set) var records: [Record] = []

  /// Parses the bytes of a file; `name` is for messages.
  ///
  /// - Throws: ``DatasetError`` with ``DatasetError/Code/manifest`` and the line for text that is no UTF-8 and quotes that
  ///   do not fit.
  init(_ bytes: some Collection<UInt8>, name: String) throws(DatasetError) {
    var parser = Parser(bytes: Array(bytes), name: name)
    while let record = try parser.record() { records.append(record) }
  }
}

private struct Parser {
  private let bytes: [UInt8]
  private let name: String
  private var position = 0
  private var line = 1

  init(bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
  }

  /// The next record that has anything in it.
  mutating func record() throws(DatasetError) -> CSVTable.Record? {
    while position < bytes.count {
      let first = line
      if skipLineEnd() { continue }
      var cells = [try cell()]
      while position < bytes.count, bytes[position] == comma {
        position += 1
        cells.append(try cell())
      }
      _ = skipLineEnd()
      return CSVTable.Record(line: first, cells: cells)
    }
    return nil
  }

  private mutating func cell() throws(DatasetError) -> String {
    if position < bytes.count, bytes[position] == quote { return try quotedCell() }
    let start = position
    while position < bytes.count, bytes[position] != comma, !isLineEnd(bytes[position]) {
      if bytes[position] == quote {
        throw failure(line, "a quote stands inside of a cell that does not begin with one")
      }
      position += 1
    }
    return try text(bytes[start..<position])
  }

  private mutating func quotedCell() throws(DatasetError) -> String {
    let first = line
    var content: [UInt8] = []
    position += 1
    while position < bytes.count {
      let byte = bytes[position]
      if byte == quote {
        position += 1
        guard position < bytes.count, bytes[position] == quote else {
          if position < bytes.count, bytes[position] != comma, !isLineEnd(bytes[position]) {
            throw failure(line, "something follows a closing quote; a quote inside of a quoted cell is written twice")
          }
          return try text(content[...])
        }
        content.append(quote)
        position += 1
      } else if isLineEnd(byte) {
        let start = position
        _ = skipLineEnd()
        content += bytes[start..<position]
      } else {
        content.append(byte)
        position += 1
      }
    }
    throw failure(first, "a quoted cell begins here and does not end")
  }

  /// Goes past one line end, if one is next.
  private mutating func skipLineEnd() -> Bool {
    guard position < bytes.count, isLineEnd(bytes[position]) else { return false }
    let isPair = bytes[position] == carriageReturn && position + 1 < bytes.count && bytes[position + 1] == lineFeed
    position += isPair ? 2 : 1
    line += 1
    return true
  }

  private func text(_ bytes: ArraySlice<UInt8>) throws(DatasetError) -> String {
    guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
      throw failure(line, "the text is no UTF-8")
    }
    return text
  }

  private func failure(_ line: Int, _ detail: String) -> DatasetError {
    DatasetError(.manifest, "\(name), line \(line)", detail)
  }
}

private let comma = UInt8(ascii: ",")
private let quote = UInt8(ascii: "\"")
private let carriageReturn = UInt8(ascii: "\r")
private let lineFeed = UInt8(ascii: "\n")

private func isLineEnd(_ byte: UInt8) -> Bool { byte == carriageReturn || byte == lineFeed }
