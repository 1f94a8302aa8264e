import Engine
import Graphs
import Tensors
import Testing

/// Maps of few rows by a large table by loops of our own beside oneDNN's primitives.
@Suite struct DenseLoopTests {
  struct Map: Sendable, CustomTestStringConvertible {
    var rows = 9
    var inputs = 515
    var outputs = 520
    var usesBias = true
    var isLarge = true

    var testDescription: String { "\(rows) rows of \(inputs) to \(outputs)\(usesBias ? "" : ", without a bias")" }
  }

  static let maps = [
    Map(), Map(rows: 1, inputs: 260, outputs: 1011), Map(rows: 17, inputs: 26300, outputs: 10),
    Map(rows: 64, inputs: 600, outputs: 477, usesBias: false), Map(rows: 8, inputs: 1, outputs: 1 << 18),
    Map(inputs: 33, isLarge: false), Map(rows: 65, isLarge: false),
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
        #expect(hasLoop == (without.isEmpty && map.isLarge && LoopTests.blockWidth == 16))
      }
      for part in 0..<3 { #expect(relativeDistance(results[part], results[part + 3]) < 2e-6) }
    }
  }
}
