#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The index of a weights file that Keras 3 cut into parts: `model.weights.json` beside `model_00000.weights.h5` and so on.
struct ShardIndex {
  /// The paths of the parts, in their order.
  let parts: [String]

  /// More parts than this are refused.
  private static let maximumPartCount = 10_000

  /// Reads an index; the parts lie beside it and carry its name, and nothing else is ever opened.
  ///
  /// - Throws: ``WeightError`` with `damaged`, `unknownFormat` or `tooLarge`.
  init(readingFrom path: String) throws(WeightError) {
    let json = try KerasJSON.parse(try Self.bytes(of: path), object: nil)
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

  private static func isPart(_ name: String, of base: Substring) -> Bool {
    let ending = ".weights.h5"
    guard name.hasPrefix("\(base)_"), name.hasSuffix(ending), name.utf8.count > base.utf8.count + 1 + ending.utf8.count
    else { return false }
    return name.dropFirst(base.count + 1).dropLast(ending.count).utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  private static func bytes(of path: String) throws(WeightError) -> [UInt8] {
    guard let file = fopen(path, "rb") else {
      throw WeightError(.missingFile, file: path, detail: "cannot be opened: \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
      bytes += buffer[..<count]
      guard bytes.count <= JSON.maximumByteCount else {
        throw WeightError(
          .tooLarge, file: path, detail: "has more than the \(JSON.maximumByteCount) bytes of JSON that are read")
      }
    }
    return bytes
  }
}
