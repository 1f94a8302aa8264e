import Digests
import Foundation

extension PretrainedFolders.Entry {
  /// Compares the file's SHA-256 with that of the manifest.
  ///
  /// - Throws: `BackboneError.Code.damagedFile` where they differ or the file cannot be read.
  public func verify() throws(BackboneError) {
    let found = try sha256(ofFile: path)
    guard found == model.sha256.lowercased() else {
      throw BackboneError(
        .damagedFile, subject: path, detail: "expected the SHA-256 \(model.sha256) of its manifest, found \(found)")
    }
  }
}

/// The SHA-256 of a file's bytes in hexadecimal digits, for provenance.
///
/// - Throws: `BackboneError.Code.damagedFile` where the file cannot be read.
package func sha256(ofFile path: String) throws(BackboneError) -> String { try hexDigest(.sha256, ofFile: path) }

/// A digest of a file's bytes in hexadecimal digits.
///
/// - Throws: `BackboneError.Code.damagedFile` where the file cannot be read.
func hexDigest(_ function: Digest.Function, ofFile path: String) throws(BackboneError) -> String {
  do {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? file.close() }
    var digest = Digest(function)
    while let bytes = try file.read(upToCount: 1 << 20), !bytes.isEmpty { digest.update(bytes) }
    return digest.hexadecimal
  } catch {
    throw BackboneError(.damagedFile, subject: path, detail: "cannot be read: \(error.localizedDescription)")
  }
}

/// How many bytes a file holds; nil where it cannot be opened.
func byteCount(ofFile path: String) -> Int? {
  guard let file = FileHandle(forReadingAtPath: path) else { return nil }
  defer { try? file.close() }
  return (try? file.seekToEnd()).map { Int($0) }
}
