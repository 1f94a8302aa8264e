import Digests
import Foundation
import HDF5Files

/// The end of a checkpoint's file: a SHA-256 over everything before it.
///
/// libhdf5 does not mind what stands behind a file's contents, so a sealed file is an HDF5 file still. A disk that loses a
/// block, or a file that was cut, is found out before anybody looks inside.
package enum CheckpointSeal {
  /// What stands before the digits.
  private static let mark = "\nSHA-256 "
  /// A seal takes so many bytes.
  private static let byteCount = 74

  /// The seal of some bytes.
  package static func bytes(over contents: UnsafeRawBufferPointer) -> [UInt8] {
    var digest = Digest()
    digest.update(contents)
    return bytes(of: digest)
  }

  /// Checks that a file is what was written.
  ///
  /// - Throws: ``TrainingError`` with code `damagedCheckpoint`.
  static func verify(_ file: OpenedFile) throws(TrainingError) {
    let end = file.byteCount - byteCount
    var digest = Digest()
    var offset = 0
    while offset < end {
      let part = file.bytes(at: offset, count: min(1 << 20, end - offset))
      if part.isEmpty { break }
      digest.update(part)
      offset += part.count
    }
    guard end > 0, offset == end, file.bytes(at: end, count: byteCount) == bytes(of: digest) else {
      throw TrainingError(
        .damagedCheckpoint, subject: file.name,
        detail: "is damaged: it does not end with the SHA-256 of its \(file.byteCount) bytes")
    }
  }

  private static func bytes(of digest: Digest) -> [UInt8] { Array("\(mark)\(digest.hexadecimal)\n".utf8) }
}
