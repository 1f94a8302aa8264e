import Engine
import Foundation
import Graphs
import KerasFormats
import Tensors
import Testing

/// Plans in bfloat16: the numbers of single precision, but for the roundings.
@Suite struct BFloat16Tests {
  /// What the processor has, and what every processor has.
  static let arithmetics = BFloat16Arithmetic.possible

  @Test(arguments: LayerGoldenTests.cases, arithmetics)
  func outputsAreCloseToKeras(golden: LayerGoldenTests.Case, arithmetic: BFloat16Arithmetic) async throws {
    try await EngineActor.run { () throws(any Error) in
      let graph = try KerasJSON.graph(from: golden.config.text)
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
      let plan = try Plan(graph, parameters: bank, options: golden.options(graph, arithmetic))
      for (port, input) in zip(plan.inputs, golden.inputs) { port.values.fill(input.path) }
      plan.forward()
      // A rounding moves a number by at most one part in 256; a small network has a handful of them one after another,
      // and not all point the same way.
      for (port, expected) in zip(plan.outputs, golden.outputs) {
        #expect(expected.distance(to: port.values) < 8e-3, "\(golden.name): output \(port.name)")
      }
      for (path, expected) in golden.updated ?? [:] {
        let place = try #require(ParameterPath(path))
        let found = bank.values(at: place)
        #expect(expected.distance(to: found) < 8e-3, "\(golden.name): \(path)")
      }
    }
  }

  /// Single precision is what Keras confirms.
  ///
  /// Without kinks: a rounding that carries a number across the corner of a ReLU its derivative from none to one. With the
  /// batch's own statistics a gradient is what is left after most of it has cancelled, so its roundings weigh more.
  @Test(arguments: LayerGoldenTests.cases, arithmetics)
  func gradientsOfSmoothNetworksAreCloseToSinglePrecision(
    golden: LayerGoldenTests.Case, arithmetic: BFloat16Arithmetic
  ) async throws {
    try await EngineActor.run { () throws(any Error) in
      let graph = try KerasJSON.graph(from: golden.config.text).withoutKinks()
      let results = try [nil, arithmetic].map { arithmetic in
        let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
        let plan = try Plan(graph, parameters: bank, options: golden.options(graph, arithmetic))
        for (port, input) in zip(plan.inputs, golden.inputs) { port.values.fill(input.path) }
        plan.forward()
        for (place, gradient) in plan.outputGradients.enumerated() { gradient.fill("gradient/\(place)") }
        plan.backward()
        return (
          inputs: plan.inputGradients.map { Array($0) },
          parameters: plan.gradients.ranges.map { ($0.path, Array(plan.gradients.values[$0.range])) }
        )
      }
      let bound = golden.training ? 5e-2 : 2e-2
      for (place, (exact, rounded)) in zip(results[0].inputs, results[1].inputs).enumerated() {
        #expect(distance(rounded, exact) < bound, "\(golden.name): gradient of input \(place)")
      }
      for ((path, exact), (_, rounded)) in zip(results[0].parameters, results[1].parameters) {
        #expect(distance(rounded, exact) < bound, "\(golden.name): gradient of \(path)")
      }
    }
  }
}

/// The root of the squared differences as a share of that of the squares; absolute where there is nothing to share.
private func distance(_ found: [Float], _ expected: [Float]) -> Double {
  let squares = expected.reduce(0.0) { $0 + Double($1) * Double($1) }
  let differences = zip(found, expected).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
  return (differences / max(squares, 1)).squareRoot()
}

extension LayerGoldenTests.Case {
  /// A plan for everything that trains, in bfloat16 or, with nil, in single precision.
  @EngineActor fileprivate func options(_ graph: Graph, _ arithmetic: BFloat16Arithmetic?) -> PlanOptions {
    var options = PlanOptions(
      batchSize: 2, trainable: Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path)),
      trainingLayers: training && !name.hasSuffix("not trainable") ? Set(graph.layerNames) : [],
      batchNormalization: training ? .trainingStatistics : .frozenStatistics,
      precision: arithmetic == nil ? .f32 : .bf16)
    if let arithmetic { options.bfloat16 = arithmetic }
    options.wantsInputGradients = true
    return options
  }
}

extension Graph {
  /// The same network with smooth functions where it has ReLU.
  fileprivate func withoutKinks() throws -> Graph {
    var result = Graph(name: name)
    for node in nodes.indices {
      let name = nodes[node].layer
      if let input = layer(of: node) as? Input {
        try result.addInput(input, named: name)
      } else if result[layer: name] != nil {
        try result.applyAgain(name, to: nodes[node].inputs)
      } else {
        try result.apply(layer(of: node).withoutKink, named: name, to: nodes[node].inputs)
      }
    }
    result.outputs = outputs
    return result
  }
}

extension Layer {
  fileprivate var withoutKink: any Layer {
    switch self {
    case var layer as Conv2D:
      layer.activation = layer.activation.withoutKink
      return layer
    case var layer as DepthwiseConv2D:
      layer.activation = layer.activation.withoutKink
      return layer
    case var layer as SeparableConv2D:
      layer.activation = layer.activation.withoutKink
      return layer
    case var layer as SeparableConv1D:
      layer.activation = layer.activation.withoutKink
      return layer
    case var layer as Conv2DTranspose:
      layer.activation = layer.activation.withoutKink
      return layer
    case let layer as Activation: return Activation(layer.function.withoutKink)
    default: return self
    }
  }
}

extension ActivationFunction {
  fileprivate var withoutKink: ActivationFunction {
    if case .relu = self { .silu } else { self }
  }
}
