import Datasets
import Foundation

/// The committed pictures, and what they should look like.
enum Fixtures {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/pictures").path

  struct Golden: Decodable, Sendable {
    let width: Int
    let height: Int
    let tolerance: Int
    let pixels: String

    var bytes: [UInt8] {
      let digits = Array(pixels.utf8).map { $0 < 0x3a ? $0 - 0x30 : $0 - 0x57 }
      return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
  }

  private struct File: Decodable {
    let pictures: [String: Golden]
  }

  static let goldens: [String: Golden] = {
    guard let data = FileManager.default.contents(atPath: folder + "/goldens.json"),
      let file = try? JSONDecoder().decode(File.self, from: data)
    else { return [:] }
    return file.pictures
  }()

  static func path(_ name: String) -> String { folder + "/" + name }
}

/// A folder of its own for one test, removed with the last reference to it.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("datasets-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a text file, with the folders that lead to it.
  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    let url = URL(fileURLWithPath: path + "/" + name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    return url.path
  }

  /// Copies a committed picture, with the folders that lead to it.
  func copy(_ picture: String, to name: String) throws {
    let url = URL(fileURLWithPath: path + "/" + name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: URL(fileURLWithPath: Fixtures.path(picture)), to: url)
  }

  func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: path + "/" + name, withDestinationPath: target)
  }
}

/// The largest difference of two lists of bytes.
func largestDifference(_ left: [UInt8], _ right: [UInt8]) -> Int {
  zip(left, right).reduce(0) { max($0, abs(Int($1.0) - Int($1.1))) }
}

/// What a throwing closure throws, as a ``DatasetError``.
func datasetError(_ body: () throws -> Void) -> DatasetError? {
  do {
    try body()
    return nil
  } catch {
    return error as? DatasetError
  }
}

extension PictureDecoder {
  /// The bytes of the picture in a file.
  func bytes(_ path: String) throws -> [UInt8] {
    try picture(at: path).withUnsafeBytes { Array($0) }
  }
}
