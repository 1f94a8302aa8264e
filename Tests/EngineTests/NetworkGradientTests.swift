import Backbones
import Engine
import Foundation
import Graphs
import Tensors
import Testing

/// The gradients of whole networks, one of each family, against stock Keras in double precision.
///
/// Most take some seconds, so that only small ones run by default; `GRAFT_ALL_FAMILIES=1` runs all.
@Suite struct NetworkGradientTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    struct Input: Decodable {
      let shape: [Int]
      let values: String
    }

    let family: String
    let input: Input
    let training: Bool
    let gain: Float
    let output: GoldenArray
    let gradients: [String: GoldenArray]

    var testDescription: String { "\(family) with \(training ? "training" : "frozen") statistics" }

    static let all: [Case] = {
      struct File: Decodable { let cases: [Case] }
      return (try? Goldens.read("network-gradients.json", as: File.self).cases) ?? []
    }()
  }

  private static let small = ["mobilenetv2", "mobilenetv3small", "squeezenet1.1", "efficientnet-lite0"]

  static let chosen =
    ProcessInfo.processInfo.environment["GRAFT_ALL_FAMILIES"] == nil
    ? Case.all.filter { small.contains($0.family) } : Case.all

  @Test func everyFamilyIsThere() {
    #expect(Case.all.count == 32)
    #expect(Set(Case.all.map(\.family)).count == 16)
  }

  @Test(arguments: chosen)
  func gradientsAreThoseOfKerasWhateverThePlanLeavesUndone(golden: Case) async throws {
    let family = try #require(BackboneFamily.named(golden.family))
    let size = Size2D(golden.input.shape[1], golden.input.shape[2])
    let graph = try family.graph(size: size, classCount: nil).smooth
    let weights = Weights.generated(for: graph, gain: golden.gain)
    try await EngineActor.run { () throws(any Error) in
      let whole = try Self.gradients(of: graph, weights, golden, without: [])
      #expect(golden.output.error(of: whole.output) < 1e-4, "\(golden.testDescription): output")
      for (name, expected) in golden.gradients {
        let path = try #require(graph.parameters.map(\.path).first { "\($0)" == name }, "\(name)")
        let found = try #require(whole.gradients[path])
        // Single precision keeps seven digits; a network of two hundred layers loses three or four of them.
        #expect(expected.distance(to: found) < 3e-4, "\(golden.testDescription): \(name)")
        #expect(expected.normError(of: found) < 3e-4, "\(golden.testDescription): \(name)")
      }
      for without: Set<PlanOptions.Pass> in [
        [.fold], [.fuse], [.layout], [.lanes], [.fold, .fuse, .layout, .arena, .lanes],
      ] {
        let plain = try Self.gradients(of: graph, weights, golden, without: without)
        for path in Self.telling(whole.gradients) {
          let (gradient, other) = (try #require(whole.gradients[path]), try #require(plain.gradients[path]))
          #expect(
            Self.distance(gradient, other) < 3e-4, "\(golden.testDescription), without \(without): \(path)")
        }
      }
    }
  }

  @Test(arguments: chosen.filter { !$0.training })
  func microBatchesAddUpToTheSameGradients(golden: Case) async throws {
    let family = try #require(BackboneFamily.named(golden.family))
    let size = Size2D(golden.input.shape[1], golden.input.shape[2])
    let graph = try family.graph(size: size, classCount: nil).smooth
    let weights = Weights.generated(for: graph, gain: golden.gain)
    try await EngineActor.run { () throws(any Error) in
      let whole = try Self.gradients(of: graph, weights, golden, without: [])
      let parts = try Self.gradients(of: graph, weights, golden, without: [], microBatchSize: 2)
      for (path, gradient) in whole.gradients {
        let other = try #require(parts.gradients[path])
        #expect(Self.distance(gradient, other) < 3e-4, "\(golden.testDescription): \(path)")
      }
    }
  }

  /// One step of the network.
  @EngineActor private static func gradients(
    of graph: Graph, _ weights: Weights, _ golden: Case, without: Set<PlanOptions.Pass>, microBatchSize: Int? = nil
  ) throws -> (output: [Float], gradients: [ParameterPath: [Float]]) {
    let batchSize = golden.input.shape[0]
    let size = microBatchSize ?? batchSize
    let bank = try ParameterBank(graph: graph, weights: weights)
    let plan = try Plan(
      graph, parameters: bank,
      options: PlanOptions(
        batchSize: size, trainable: Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path)),
        trainingLayers: golden.training ? Set(graph.layerNames) : [],
        batchNormalization: golden.training ? .trainingStatistics : .frozenStatistics, without: without))
    let isPixels = golden.input.values == "255u"
    let input = Tensor(
      generatedFor: "input", shape: Shape(golden.input.shape), factor: isPixels ? 255 : 2, summand: isPixels ? 0 : -1
    ).floats
    let upstream = Tensor(
      generatedFor: "gradient", shape: [batchSize * plan.outputs[0].shape.elementCount], factor: 2, summand: -1
    ).floats
    var output: [Float] = []
    for start in stride(from: 0, to: batchSize, by: size) {
      let pixels = plan.inputs[0].values
      _ = pixels.update(fromContentsOf: input[(start * pixels.count / size)..<((start + size) * pixels.count / size)])
      plan.forward()
      output += plan.outputs[0].values
      let gradient = plan.outputGradients[0]
      _ = gradient.update(
        fromContentsOf: upstream[(start * gradient.count / size)..<((start + size) * gradient.count / size)])
      plan.backward(accumulating: start > 0)
    }
    let gradients = plan.gradients.ranges.map { ($0.path, Array(plan.gradients.values[$0.range])) }
    return (output, Dictionary(uniqueKeysWithValues: gradients))
  }

  /// The parameters whose gradients are more than the rounding of zero.
  ///
  /// What a batch's own statistics take out again, as a bias in front of them, has none.
  private static func telling(_ gradients: [ParameterPath: [Float]]) -> [ParameterPath] {
    let sizes = gradients.mapValues { values in
      (values.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(max(values.count, 1))).squareRoot()
    }
    let middle = sizes.values.sorted()[sizes.count / 2]
    return sizes.filter { $0.value > 1e-4 * middle }.map(\.key)
  }

  /// The root of the squared differences as a share of that of the first's squares.
  private static func distance(_ first: [Float], _ second: [Float]) -> Double {
    var (differences, squares) = (0.0, 0.0)
    for (a, b) in zip(first, second) {
      differences += (Double(a) - Double(b)) * (Double(a) - Double(b))
      squares += Double(a) * Double(a)
    }
    return (differences / max(squares, .leastNormalMagnitude)).squareRoot()
  }
}

extension Graph {
  /// The same network without kinks, as scripts/make-goldens.d/network_gradients.py makes it.
  fileprivate var smooth: Graph {
    get throws {
      var result = Graph(name: name)
      var made: [Node.ID] = []
      for (place, node) in nodes.enumerated() {
        let layer = Graph.smooth(layer(of: place))
        let inputs = node.inputs.map { made[$0] }
        if let input = layer as? Input {
          made.append(try result.addInput(input, named: node.layer))
        } else if result[layer: node.layer] != nil {
          made.append(try result.applyAgain(node.layer, to: inputs))
        } else {
          made.append(try result.apply(layer, named: node.layer, to: inputs))
        }
      }
      result.outputs = outputs.map { made[$0] }
      return result
    }
  }

  private static func smooth(_ layer: any Layer) -> any Layer {
    switch layer {
    case var activation as Activation:
      activation.function = smooth(activation.function)
      return activation
    case var convolution as Conv2D:
      convolution.activation = smooth(convolution.activation)
      return convolution
    case var dropout as Dropout:
      dropout.rate = 0
      return dropout
    case let pooling as MaxPooling2D:
      return AveragePooling2D(poolSize: pooling.poolSize, strides: pooling.strides, padding: pooling.padding)
    default:
      return layer
    }
  }

  private static func smooth(_ function: ActivationFunction) -> ActivationFunction {
    switch function {
    case .relu, .hardSigmoid, .hardSilu: .silu
    default: function
    }
  }
}
