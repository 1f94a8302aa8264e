import Graphs
import KerasFormats
import Tensors
import Testing

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// The files that `scripts/make-keras-fixtures` wrote.
enum Fixtures {
  /// The path of a file in the folder of fixtures.
  static func path(_ name: String) -> String {
    let here = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
    return "/\(here)/Fixtures/keras/\(name)"
  }

  /// The bytes of a file.
  static func bytes(at path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "rb"))
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return bytes
  }

  /// Writes bytes to a file.
  static func write(_ bytes: [UInt8], to path: String) throws {
    let file = try #require(fopen(path, "wb"))
    defer { fclose(file) }
    #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
  }

  /// The network of the fixture `plain`, with other names and another head if that is wished.
  static func plain(prefix: String = "", classCount: Int = 5) throws -> Graph {
    var graph = Graph(name: "plain")
    var node = try graph.addInput(Input(shape: [12, 12, 3]), named: "input")
    let layers: [(String, any Layer)] = [
      ("conv", Conv2D(filters: 6, kernelSize: Size2D(3), padding: .same)),
      ("norm", BatchNormalization(scales: false)), ("relu", Activation(.relu())), ("pool", MaxPooling2D()),
      ("second", Conv2D(filters: 8, kernelSize: Size2D(3, 2), strides: Size2D(2), activation: .silu)),
      ("flat", Flatten()), ("classes", Dense(units: classCount)),
    ]
    for (name, layer) in layers { node = try graph.apply(layer, named: prefix + name, to: [node]) }
    graph.outputs = [node]
    return graph
  }

  /// What Keras said about the fixtures of a generation.
  static func golden(_ generation: Int) throws -> JSON {
    try JSON(parsing: bytes(at: path("golden-\(generation).json")))
  }
}

/// A folder that vanishes with its last owner.
final class TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/keras-formats-XXXXXX".utf8CString)
    path = String(cString: try #require(mkdtemp(&template)))
  }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  deinit {
    if let folder = opendir(path) {
      while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { remove("\(path)/\(name)") }
      }
      closedir(folder)
    }
    rmdir(path)
  }
}
