import Foundation
import Graphs
import Tensors
import Testing

/// A committed file of numbers that stock Keras has computed.
enum Goldens {
  /// Where the files are.
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Goldens")

  static func read<Content: Decodable>(_ name: String, as type: Content.Type) throws -> Content {
    try JSONDecoder().decode(type, from: Data(contentsOf: folder.appending(path: name)))
  }
}

/// An array as a golden file tells it: all its numbers, or its norm and some of them.
struct GoldenArray: Decodable {
  let shape: [Int]
  let norm: Double?
  let largest: Double
  let indices: [Int]?
  let values: [Double]

  /// Whether the numbers are zero but for the rounding of double precision, as the gradient of a bias in front of a
  /// batch normalisation is.
  private var isZero: Bool { largest < 1e-9 }

  /// The largest difference, as a share of the largest number here, or as it is where these are zero.
  func error(of found: some Collection<Float>) -> Double {
    let numbers = Array(found)
    guard numbers.count == shape.reduce(1, *) else { return .infinity }
    var worst = 0.0
    for (position, value) in values.enumerated() {
      let difference = abs(Double(numbers[indices?[position] ?? position]) - value)
      worst = difference.isNaN ? .infinity : max(worst, difference)
    }
    return isZero ? worst : worst / largest
  }

  /// The root of the squared differences, as a share of that of the squares here, over the numbers that are told.
  func distance(to found: some Collection<Float>) -> Double {
    let numbers = Array(found)
    guard numbers.count == shape.reduce(1, *) else { return .infinity }
    var (differences, squares) = (0.0, 0.0)
    for (position, value) in values.enumerated() {
      let difference = Double(numbers[indices?[position] ?? position]) - value
      differences += difference * difference
      squares += value * value
    }
    return isZero ? differences.squareRoot() : (differences / squares).squareRoot()
  }

  /// How far the norms are apart, as a share of the one here.
  func normError(of found: some Collection<Float>) -> Double {
    guard let norm, !isZero else { return 0 }
    let own = found.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return abs(own - norm) / norm
  }
}

extension Weights {
  /// Generated weights, with every gamma of a batch normalisation times a factor.
  static func generated(for graph: Graph, gain: Float) -> Weights {
    var weights = Weights.generated(for: graph)
    for name in graph.layerNames where gain != 1 && graph[layer: name] is BatchNormalization {
      weights[ParameterPath(name, "gamma")]?.withMutableFloats { values in
        for index in values.indices { values[index] *= gain }
      }
    }
    return weights
  }
}
