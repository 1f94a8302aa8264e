import Backbones
import Foundation
import Graphs
import Tensors
import Testing

/// What stock Keras says about a family, as far as these tests need it.
struct Golden: Decodable {
  struct Case: Decodable {
    struct Input: Decodable {
      var shape: [Int]
    }

    struct Layer: Decodable {
      var name: String
      var outputShape: [Int?]
      var parameters: Int
    }

    struct Weight: Decodable {
      var path: String
      var shape: [Int]
    }

    var input: Input
    var includeTop: Bool
    var parameters: Int
    var layers: [Layer]
    var weights: [Weight]

    var size: Size2D { Size2D(input.shape[1], input.shape[2]) }
  }

  var cases: [Case]

  static func load(_ name: String) throws -> Golden {
    let file = repository.appendingPathComponent("Tests/Goldens/\(name).json")
    return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
  }

  /// The top folder of this repository.
  static var repository: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  }
}
