import Graphs
import KerasFormats
import Tensors
import Testing

/// What every kind of layer owes, on at least one sample made with stock Keras.
///
/// Its shapes, its parameters, and a way to Keras's JSON and back. Numbers and gradients of the same samples are in
/// `LayerGoldenTests`.
@Suite struct LayerContractTests {
  @Test func everyKindHasASample() throws {
    var sampled: Set<String> = []
    for golden in LayerGoldenTests.cases {
      let graph = try KerasJSON.graph(from: golden.config.text)
      for name in graph.layerNames {
        if let layer = graph[layer: name] { sampled.insert(type(of: layer).kind) }
      }
    }
    #expect(KerasJSON.layerKinds.filter { !sampled.contains($0) } == [])
  }

  @Test(arguments: LayerGoldenTests.cases)
  func shapesAndParametersAreThoseOfKeras(golden: LayerGoldenTests.Case) throws {
    let graph = try KerasJSON.graph(from: golden.config.text)
    let shapes = graph.outputs.map { graph.nodes[$0].outputShape.dimensions }
    #expect(shapes == golden.outputs.map { Array($0.shape.dropFirst()) })
    let own = Dictionary(
      uniqueKeysWithValues: graph.parameters.map { ($0.path.description, $0.parameter.shape.dimensions) })
    #expect(own == Dictionary(uniqueKeysWithValues: golden.weights.map { ($0.path, $0.shape) }))
  }

  @Test(arguments: LayerGoldenTests.cases)
  func whatIsWrittenForKerasIsReadAsTheSame(golden: LayerGoldenTests.Case) throws {
    let graph = try KerasJSON.graph(from: golden.config.text)
    let again = try KerasJSON.graph(from: try KerasJSON.json(for: graph))
    #expect(again == graph)
  }
}
