import Foundation

/// Reads a text that a person may have written.
///
/// - Parameters:
///   - expected: What the file is thought to be, for messages.
///   - byteCount: A longer file is refused.
/// - Throws: ``TrainingError`` with code `invalidOption` where it cannot be read, is too long, or is no text.
func readText(at path: String, expecting expected: String, atMost byteCount: Int) throws(TrainingError) -> String {
  let bytes: Data
  do {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? file.close() }
    bytes = try file.read(upToCount: byteCount + 1) ?? Data()
  } catch {
    throw TrainingError(.invalidOption, subject: path, detail: "cannot be read: \(systemReason(error))")
  }
  guard bytes.count <= byteCount else {
    throw TrainingError(
      .invalidOption, subject: path, detail: "has more than the \(byteCount) bytes that are read")
  }
  guard let text = String(bytes: bytes, encoding: .utf8), !text.allSatisfy(\.isWhitespace) else {
    throw TrainingError(
      .invalidOption, subject: path, detail: "expected \(expected), found \(bytes.isEmpty ? "nothing" : "no text")")
  }
  return text
}
