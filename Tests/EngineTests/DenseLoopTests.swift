import Engine
import Graphs
import Tensors
import Testing

/// Maps of few rows by loops of our own beside oneDNN's primitives.
@Suite struct DenseLoopTests {
  struct Map: Sendable, CustomTestStringConvertible {
    var rows = 9
    var inputs = 33
    var outputs = 40
    var usesBias = true

    var testDescription: String { "\(rows) rows of \(inputs) to \(outputs)\(usesBias ? "" : ", without a bias")" }
  }

  static let maps = [
    Map(), Map(rows: 1, inputs: 7, outputs: 3), Map(rows: 17, inputs: 12, outputs: 1), Map(rows: 8, inputs: 1),
    Map(rows: 64, inputs: 50, outputs: 131, usesBias: false),
  ]

  @Test(arguments: maps, [nil, 1])
  func resultsAreThoseOfOneDNN(map: Map, laneCount: Int?) async throws {
    var graph = Graph(name: "map")
    let input = try graph.addInput(Input(shape: [map.inputs]), named: "features")
    let dense = try graph.apply(Dense(units: map.outputs, usesBias: map.usesBias), named: "head", to: [input])
    graph.outputs = [dense]
    let all = Set(graph.parameters.map(\.path))
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
      var results: [[Float]] = []
      for without: Set<PlanOptions.Pass> in [[], [.loops]] {
        var options = PlanOptions(batchSize: map.rows, trainable: all, without: without)
        options.wantsInputGradients = true
        options.laneCount = laneCount ?? (map.rows.isMultiple(of: 2) ? 2 : 1)
        let plan = try Plan(graph, parameters: bank, options: options)
        plan.inputs[0].values.fill("input")
        for pass in 0..<2 {
          plan.forward()
          plan.outputGradients[0].fill("gradient \(pass)")
          plan.backward(accumulating: pass > 0)
        }
        results += [Array(plan.outputs[0].values), Array(plan.gradients.values), Array(plan.inputGradients[0])]
        let hasLoop = plan.profile(repeats: 1).contains { $0.implementation == "dense_gradient" }
        #expect(hasLoop == (without.isEmpty && LoopTests.blockWidth == 16))
      }
      for part in 0..<3 { #expect(relativeDistance(results[part], results[part + 3]) < 2e-6) }
    }
  }
}
