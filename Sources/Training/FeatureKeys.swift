import Digests
import Engine
import Foundation
import Graphs
import Tensors

/// What the pixels of one picture are, in 32 bytes: pictures with equal keys have equal features.
struct PictureKey: Hashable, Sendable {
  private let words: SIMD4<UInt64>

  /// The key of a picture as it enters a network.
  init(of pixels: UnsafeMutableBufferPointer<Float>) {
    var digest = Digest()
    digest.update(UnsafeRawBufferPointer(pixels))
    self = digest.bytes.withUnsafeBytes { PictureKey(readingFrom: $0) }
  }

  /// The key that lies at a place of a file.
  init(readingFrom bytes: UnsafeRawBufferPointer) { words = bytes.loadUnaligned(as: SIMD4<UInt64>.self) }

  /// How many bytes a key takes.
  static let byteCount = 32

  /// The bytes of the key.
  var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }
}

/// What stands between pictures and features, in a hash: layers, weights, precision, and whoever computes.
///
/// The program itself is part of it, so that a version that computes differently never meets the features of another.
@EngineActor
struct NetworkKey {
  private var digest = Digest()

  /// The key of pictures that nothing has been done to yet.
  init(pictureShape: Shape, chunkSize: Int) {
    // By this oneDNN may compute in fewer digits than it is asked for.
    let mathMode = ProcessInfo.processInfo.environment["ONEDNN_DEFAULT_FPMATH_MODE"] ?? ""
    add("\(NetworkKey.program)\n\(EngineDescription.current) \(mathMode)\n")
    add("pictures \(pictureShape) by \(chunkSize)\n")
  }

  /// The key of what a further part of the network makes of them.
  func adding(_ segment: Graph, precision: PlanOptions.Precision, parameters: ParameterBank) -> NetworkKey {
    var result = self
    result.add("\(precision)\n")
    for (place, node) in segment.nodes.enumerated() {
      result.add("\(node.layer) \(node.inputs) \(String(reflecting: segment.layer(of: place)))\n")
    }
    result.add("\(segment.inputs) \(segment.outputs)\n")
    for (path, _) in segment.parameters {
      result.add("\(path)\n")
      result.digest.update(UnsafeRawBufferPointer(parameters.values(at: path)))
    }
    return result
  }

  /// The key in hexadecimal digits.
  var text: String { digest.hexadecimal }

  private mutating func add(_ text: String) { digest.update(text) }

  /// The running program's own bytes in a hash, once a process.
  private static let program: String = {
    guard let path = Bundle.main.executablePath, let data = FileManager.default.contents(atPath: path) else {
      return ""
    }
    var digest = Digest()
    digest.update(data)
    return digest.hexadecimal
  }()
}
