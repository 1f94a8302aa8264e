import Engine
import Foundation
import Graphs
import KerasFormats
import Tensors
import Testing

/// Every kind of layer against stock Keras in double precision: outputs, and gradients of weights and inputs.
@Suite struct LayerGoldenTests {
  struct File: Decodable { let cases: [Case] }

  struct Case: Decodable, CustomTestStringConvertible {
    struct Variable: Decodable {
      let path: String
      let shape: [Int]
    }

    struct Gradients: Decodable {
      let inputs: [GoldenArray]
      let weights: [String: GoldenArray]
    }

    let name: String
    let training: Bool
    let config: JSONText
    let inputs: [Variable]
    let weights: [Variable]
    let outputs: [GoldenArray]
    let gradients: Gradients
    let updated: [String: GoldenArray]?

    var testDescription: String { name }
  }

  /// The files of cases, one for each family of kinds.
  static let files = [
    "layers", "layers-activation", "layers-merging", "layers-normalization", "layers-operator", "layers-sequence",
    "layers-size",
  ]

  static let cases: [Case] = {
    files.flatMap { (try? Goldens.read("\($0).json", as: File.self).cases) ?? [] }
  }()

  /// What a plan may do on its way to the same numbers.
  static let variants: [(name: String, without: Set<PlanOptions.Pass>, laneCount: Int?)] = [
    ("as it is", [], nil), ("channels last", [.layout], nil), ("plain", [.fold, .fuse, .arena], nil),
    ("in lanes", [], 2),
  ]

  @Test func theGoldensAreThere() { #expect(Self.cases.count > 250) }

  @Test(arguments: cases, variants.indices)
  func outputsAndGradientsEqualKeras(golden: Case, variant: Int) async throws {
    let variant = Self.variants[variant]
    try await EngineActor.run { () throws(any Error) in
      let graph = try KerasJSON.graph(from: golden.config.text)
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
      var options = PlanOptions(
        batchSize: 2, trainable: Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path)),
        trainingLayers: golden.training ? Set(graph.layerNames) : [],
        batchNormalization: golden.training ? .trainingStatistics : .frozenStatistics,
        without: variant.without)
      options.wantsInputGradients = true
      options.laneCount = variant.laneCount
      if golden.name.hasSuffix("not trainable") { options.trainingLayers = [] }
      let plan = try Plan(graph, parameters: bank, options: options)
      for (port, input) in zip(plan.inputs, golden.inputs) { port.values.fill(input.path) }
      plan.forward()
      for (port, expected) in zip(plan.outputs, golden.outputs) {
        // Single precision keeps seven digits; sums of a few hundred products lose one or two.
        #expect(expected.error(of: port.values) < 1e-5, "\(golden.name), \(variant.name): output \(port.name)")
      }
      for (place, gradient) in plan.outputGradients.enumerated() {
        gradient.fill(golden.outputs.count == 1 ? "gradient" : "gradient/\(place)")
      }
      plan.backward()
      for (place, expected) in golden.gradients.inputs.enumerated() {
        let found = plan.inputGradients[place]
        #expect(expected.error(of: found) < 2e-5, "\(golden.name), \(variant.name): gradient of input \(place)")
      }
      for (path, expected) in golden.gradients.weights {
        let place = try #require(ParameterPath(path))
        let found = try #require(plan.gradients[place], "\(path)")
        #expect(expected.error(of: found) < 2e-5, "\(golden.name), \(variant.name): gradient of \(path)")
        #expect(expected.normError(of: found) < 1e-4, "\(golden.name), \(variant.name): gradient of \(path)")
      }
      for (path, expected) in golden.updated ?? [:] {
        let place = try #require(ParameterPath(path))
        let found = bank.values(at: place)
        #expect(expected.error(of: found) < 1e-5, "\(golden.name), \(variant.name): \(path)")
      }
    }
  }
}

extension UnsafeMutableBufferPointer<Float> {
  /// Fills the array with the numbers 2u − 1 that belong to a name.
  func fill(_ name: String) {
    Tensor(generatedFor: name, shape: [count], factor: 2, summand: -1).withFloats { source in
      _ = update(fromContentsOf: source)
    }
  }
}

/// A piece of JSON inside a golden file, as the text that Keras wrote.
struct JSONText: Decodable {
  let text: String

  init(from decoder: any Decoder) throws {
    let value = try AnyJSON(from: decoder).value
    text = String(decoding: try JSONSerialization.data(withJSONObject: value), as: UTF8.self)
  }
}

private struct AnyJSON: Decodable {
  let value: Any

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      value = NSNull()
    } else if let flag = try? container.decode(Bool.self) {
      value = flag
    } else if let number = try? container.decode(Int.self) {
      value = number
    } else if let number = try? container.decode(Double.self) {
      value = number
    } else if let text = try? container.decode(String.self) {
      value = text
    } else if let list = try? container.decode([AnyJSON].self) {
      value = list.map(\.value)
    } else {
      value = try container.decode([String: AnyJSON].self).mapValues(\.value)
    }
  }
}
