import CKernels
import Engine
import Foundation
import Graphs
import KerasFormats
import Tensors

/// Takes a step of every sample layer where the address sanitizer watches.
///
/// `SanitizedPlans GOLDENS...` reads files of layers as `scripts/make-goldens` makes them, and runs each layer forward and
/// backward with one thread and with two in a lane each, in single precision and in bfloat16, and without sharing memory, so that every
/// array has guarded bytes behind it. The first access outside of an array ends the process with the sanitizer's report.
@main
struct SanitizedPlans {
  static func main() async throws {
    let paths = CommandLine.arguments.dropFirst()
    guard !paths.isEmpty, graft_is_sanitized() else {
      fail(
        paths.isEmpty ? "usage: SanitizedPlans GOLDENS..." : "built without --sanitize address: nothing would be seen")
    }
    var planCount = 0
    var layerCount = 0
    for path in paths {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      guard let file = try JSONSerialization.jsonObject(with: data) as? [String: Any],
        let cases = file["cases"] as? [[String: Any]]
      else { fail("\(path): expected golden layers") }
      for entry in cases {
        guard let config = entry["config"] else { fail("\(path): a case without a layer") }
        let text = String(decoding: try JSONSerialization.data(withJSONObject: config), as: UTF8.self)
        let graph = try KerasJSON.graph(from: text)
        let trains = entry["training"] as? Bool ?? false
        planCount += try await EngineActor.run { () throws in try steps(of: graph, training: trains) }
        layerCount += 1
      }
    }
    for padding in [Padding.same, .valid] {
      let (blocks, inverted, stem) = (try blocks(padding), try invertedResiduals(padding), try stem(padding))
      let strided = try strided(padding)
      for (graph, isFrozen, wantsInputGradients) in [
        (blocks, false, true), (inverted, true, false), (inverted, false, true), (stem, true, false),
        (stem, false, false), (strided, true, false), (strided, false, true),
      ] {
        planCount += try await EngineActor.run { () throws in
          try steps(of: graph, training: false, isFrozen: isFrozen, wantsInputGradients: wantsInputGradients)
        }
        layerCount += graph.layerNames.count
      }
    }
    print("\(layerCount) layers in \(planCount) plans: every access lies inside its array")
  }

  /// Convolutions with as many channels as our own loops want, on images that no tile divides.
  private static func blocks(_ padding: Padding) throws -> Graph {
    var graph = Graph(name: "blocks")
    var node = try graph.addInput(Input(shape: [9, 7, 3]), named: "image")
    let layers = [
      ("first", 16, 1), ("window", 24, 3), ("point", 40, 1), ("again", 32, 3), ("wide", 48, 3), ("narrow", 16, 1),
    ]
    for (name, filters, size) in layers {
      node = try graph.apply(
        Conv2D(filters: filters, kernelSize: Size2D(size), padding: padding, activation: .relu()), named: name,
        to: [node])
    }
    graph.outputs = [node]
    return graph
  }

  /// An image of which two windows with strides read some pixels, and what makes it.
  private static func strided(_ padding: Padding) throws -> Graph {
    var graph = Graph(name: "strided")
    let image = try graph.addInput(Input(shape: [9, 8, 32]), named: "image")
    let window = Conv2D(filters: 16, kernelSize: Size2D(3), padding: .same, activation: .relu())
    var node = try graph.apply(window, named: "window", to: [image])
    node = try graph.apply(Conv2D(filters: 32, kernelSize: Size2D(1)), named: "point", to: [node])
    node = try graph.apply(Add(), named: "sum", to: [node, image])
    node = try graph.apply(Activation(.relu()), named: "function", to: [node])
    graph.outputs = try ["left", "right"].map { name throws in
      let convolution = Conv2D(filters: 16, kernelSize: Size2D(1), strides: Size2D(2, 3), padding: padding)
      return try graph.apply(convolution, named: name, to: [node])
    }
    return graph
  }

  /// Expansions, depthwise convolutions and projections, the first without an expansion.
  private static func invertedResiduals(_ padding: Padding) throws -> Graph {
    var graph = Graph(name: "inverted")
    var node = try graph.addInput(Input(shape: [21, 17, 3]), named: "image")
    node = try graph.apply(Conv2D(filters: 16, kernelSize: Size2D(3), activation: .relu()), named: "stem", to: [node])
    for (index, (size, stride, outputs)) in [(3, 1, 24), (5, 2, 40), (3, 2, 72)].enumerated() {
      if index > 0 {
        node = try graph.apply(
          Conv2D(filters: 96, kernelSize: Size2D(1), activation: .relu()), named: "expand \(index)", to: [node])
      }
      node = try graph.apply(
        DepthwiseConv2D(
          kernelSize: Size2D(size), strides: Size2D(stride), padding: padding, activation: .relu(maxValue: 6)),
        named: "depthwise \(index)", to: [node])
      node = try graph.apply(
        Conv2D(filters: outputs, kernelSize: Size2D(1)), named: "project \(index)", to: [node])
    }
    graph.outputs = [node]
    return graph
  }

  /// A first convolution that rescales pictures, and one that likes blocks.
  private static func stem(_ padding: Padding) throws -> Graph {
    var graph = Graph(name: "stem")
    var node = try graph.addInput(Input(shape: [23, 19, 3]), named: "image")
    node = try graph.apply(Rescaling(scale: [0.5], offset: [-1]), named: "rescaling", to: [node])
    node = try graph.apply(
      Conv2D(filters: 48, kernelSize: Size2D(7), strides: Size2D(2), padding: padding, activation: .relu()),
      named: "stem", to: [node])
    graph.outputs = [try graph.apply(Conv2D(filters: 16, kernelSize: Size2D(3)), named: "window", to: [node])]
    return graph
  }

  /// Runs a graph in every way.
  ///
  /// - Returns: In how many ways.
  @EngineActor private static func steps(
    of graph: Graph, training: Bool, isFrozen: Bool = false, wantsInputGradients: Bool = true
  ) throws -> Int {
    let trainable = isFrozen ? [] : Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path))
    var count = 0
    // Each thread a lane, and all threads at one.
    for (threads, laneCount) in [(1, 1), (2, 2), (3, 1)] {
      EngineThreads.use(threads)
      for precision in [PlanOptions.Precision.f32, .bf16] {
        for without: Set<PlanOptions.Pass> in [[.arena], [.arena, .layout], [.arena, .fold, .fuse]] {
          let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
          var options = PlanOptions(
            batchSize: 2, trainable: trainable, trainingLayers: training ? Set(graph.layerNames) : [],
            batchNormalization: training ? .trainingStatistics : .frozenStatistics, precision: precision,
            without: without)
          options.wantsInputGradients = wantsInputGradients
          options.laneCount = laneCount
          let plan = try Plan(graph, parameters: bank, options: options)
          for port in plan.inputs { port.values.update(repeating: 0.5) }
          for step in 0..<2 {
            plan.forward(step: UInt64(step))
            for gradient in plan.outputGradients { gradient.update(repeating: 1) }
            plan.backward(accumulating: step > 0)
          }
          count += 1
        }
      }
    }
    return count
  }

  private static func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data("SanitizedPlans: \(message)\n".utf8))
    exit(2)
  }
}
