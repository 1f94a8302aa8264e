import HDF5Files

/// The index of a weights file that Keras 3 cut into parts: `model.weights.json` beside `model_00000.weights.h5` and so on.
struct ShardIndex {
  /// The paths of the parts, in their order.
  let parts: [String]

  /// More parts than this are refused: each has a reader of its own, and Keras makes parts of gigabytes.
  private static let maximumPartCount = 256

  /// Reads an index; the parts lie beside it and carry its name, and nothing else is ever opened.
  ///
  /// - Throws: ``WeightError`` with `damaged`, `unknownFormat` or `tooLarge`.
  init(reading file: OpenedFile) throws(WeightError) {
    let path = file.name
    guard file.byteCount <= JSON.maximumByteCount else {
      throw WeightError(
        .tooLarge, file: path, detail: "has more than the \(JSON.maximumByteCount) bytes of JSON that are read")
    }
    let json = try KerasJSON.parse(file.bytes(at: 0, count: file.byteCount), object: nil)
    guard let map = json["weight_map"]?.object else {
      throw WeightError(
        .unknownFormat, file: path, detail: "is JSON, but not the index of a weights file: it has no weight_map")
    }
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[...$0]) } ?? ""
    let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
    // Keras takes the ending off and a `.weights` wherever it stands.
    let stem = name.hasSuffix(".json") ? name.dropLast(5) : name
    let base = stem.replacing(".weights", with: "")
    var names: Set<String> = []
    for member in map.members {
      for file in member.value.array ?? [member.value] {
        guard let text = file.string, Self.isPart(text, of: base) else {
          throw WeightError(
            .damaged, file: path,
            detail: "names the part \(file.spoken), where \(base)_00000.weights.h5 or another number is expected")
        }
        names.insert(text)
      }
    }
    guard !names.isEmpty, names.count <= Self.maximumPartCount else {
      throw WeightError(
        names.isEmpty ? .damaged : .tooLarge, file: path,
        detail: "names \(names.count) parts, where 1 to \(Self.maximumPartCount) are expected")
    }
    parts = names.sorted().map { folder + $0 }
  }

  /// Opens the parts.
  ///
  /// - Throws: ``WeightError`` where one is not there or is no HDF5 file.
  func open() throws(WeightError) -> [OpenedFile] {
    var files: [OpenedFile] = []
    for part in parts {
      let file = try readingHDF5 { () throws(HDF5Error) in try OpenedFile(part) }
      guard case .hdf5 = try FileKind(of: file) else { throw Self.noPart(part) }
      files.append(file)
    }
    return files
  }

  /// The error for a file that holds anything but a part of weights.
  static func noPart(_ path: String) -> WeightError {
    WeightError(.damaged, file: path, detail: "is no part of a weights file")
  }

  private static func isPart(_ name: String, of base: Substring) -> Bool {
    let ending = ".weights.h5"
    guard name.hasPrefix("\(base)_"), name.hasSuffix(ending), name.utf8.count > base.utf8.count + 1 + ending.utf8.count
    else { return false }
    return name.dropFirst(base.count + 1).dropLast(ending.count).utf8.allSatisfy { (0x30...0x39).contains($0) }
  }
}
