import HDF5Files

/// The kinds of files that Keras writes.
public enum KerasFormat: String, Hashable, Sendable {
  /// A legacy HDF5 file with a network and its weights.
  case wholeModelH5 = "h5"
  /// A legacy HDF5 file with weights alone.
  case weightsOnlyH5 = "legacy-weights-h5"
  /// A zip archive with a network and its weights.
  case keras
  /// A Keras 3 HDF5 file with weights alone, or the index of several.
  case weightsH5 = "weights.h5"
}

/// What the first bytes of a file say about it.
enum FileKind {
  case hdf5
  case zip
  case json

  /// Looks at a file's first bytes; its name does not count.
  ///
  /// - Throws: ``WeightError`` with `unknownFormat`.
  init(of file: OpenedFile) throws(WeightError) {
    guard file.byteCount > 0 else { throw WeightError(.unknownFormat, file: file.name, detail: "is empty") }
    func holds(_ signature: [UInt8], at start: Int) -> Bool {
      file.bytes(at: start, count: signature.count) == signature
    }
    if holds([0x50, 0x4b, 0x03, 0x04], at: 0) {
      self = .zip
      return
    }
    var start = 0
    while start < file.byteCount {
      if holds([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a], at: start) {
        self = .hdf5
        return
      }
      start = start == 0 ? 512 : start * 2
    }
    if holds([0x7b], at: 0) {
      self = .json
      return
    }
    throw WeightError(
      .unknownFormat, file: file.name,
      detail: "is no file of Keras: it begins neither like an HDF5 file nor like a zip archive")
  }
}
