import Foundation
import Graft

/// Where a command's words go: results to standard output, everything else to standard error.
///
/// Lines may hold names out of files of strangers: no control character in them reaches a terminal.
enum Console {
  /// Whether a person watches standard error.
  static var isWatched: Bool { isatty(STDERR_FILENO) == 1 }

  /// Prints a line of a result.
  static func result(_ line: String) { print(line.withVisibleControlCharacters) }

  /// Prints a line of a result to somebody who waits for it.
  static func immediateResult(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

  /// Prints one JSON document as the result, its keys in alphabetical order.
  static func json(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      print(String(decoding: try encoder.encode(value), as: UTF8.self))
    } catch {
      throw CommandFailure("the result holds a number that JSON cannot say")
    }
  }

  /// Prints a line about the work.
  static func note(_ line: String) { write(line.withVisibleControlCharacters + "\n") }

  /// Prints why the work failed.
  static func failure(_ sentence: String) { write("graft: \(sentence.withVisibleControlCharacters)\n") }

  /// Prints how a command is used, in several lines.
  static func usage(_ text: String) { write(text + "\n") }

  /// Writes over the last line that was written by this function; only for watched consoles.
  static func overwrite(_ line: String) { write("\r\u{1b}[K\(line)") }

  private static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
