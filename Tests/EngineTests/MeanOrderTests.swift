import Engine
import Graphs
import Tensors
import Testing

/// Means over windows, before or after windows of one by one.
@Suite struct MeanOrderTests {
  struct Case: Sendable {
    let pooling: AveragePooling2D
    /// Whether the mean stands before the convolution in the network.
    let meanIsFirst: Bool
    let filters: Int
    /// The extents of what the plan's mean makes of two pictures.
    let mean: [Int]
  }

  static let cases = [
    // Fewer pixels first, and fewer channels first.
    Case(pooling: AveragePooling2D(), meanIsFirst: false, filters: 16, mean: [2, 32, 5, 4]),
    Case(
      pooling: AveragePooling2D(poolSize: Size2D(3), strides: Size2D(2), padding: .same), meanIsFirst: false,
      filters: 16, mean: [2, 32, 5, 4]),
    Case(
      pooling: AveragePooling2D(poolSize: Size2D(3), strides: Size2D(1), padding: .same), meanIsFirst: true,
      filters: 16, mean: [2, 16, 10, 8]),
    // As they stand where that is better.
    Case(
      pooling: AveragePooling2D(poolSize: Size2D(3), strides: Size2D(1), padding: .same), meanIsFirst: true,
      filters: 64, mean: [2, 32, 10, 8]),
    Case(
      pooling: AveragePooling2D(poolSize: Size2D(3), strides: Size2D(1), padding: .same), meanIsFirst: false,
      filters: 16, mean: [2, 16, 10, 8]),
    Case(pooling: AveragePooling2D(), meanIsFirst: true, filters: 16, mean: [2, 32, 5, 4]),
  ]

  @Test(arguments: cases.indices, [false, true])
  func resultsAreTheSame(index: Int, trains: Bool) async throws {
    let example = Self.cases[index]
    let graph = try Self.network(example)
    let trainable = Set(trains ? graph.parameters.filter(\.parameter.isTrainable).map(\.path) : [])
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph, gain: 1.5))
      var results: [(outputs: [Float], gradients: [Float])] = []
      for without: Set<PlanOptions.Pass> in [[.sample], [], [.fold]] {
        var options = PlanOptions(batchSize: 2, trainable: trainable, without: without)
        options.laneCount = 2
        let plan = try Plan(graph, parameters: bank, options: options)
        plan.inputs[0].values.fill("input")
        plan.forward()
        plan.outputGradients.first?.fill("gradient")
        if trains { plan.backward() }
        // By name: the order of operations decides which comes first.
        let ranges = plan.gradients.ranges.sorted { "\($0.path)" < "\($1.path)" }.map(\.range)
        results.append((Array(plan.outputs[0].values), ranges.flatMap { plan.gradients.values[$0] }))
        guard without.isEmpty else { continue }
        let step = try #require(plan.profile(repeats: 1).first { $0.name == "mean" })
        #expect(step.dimensions == example.mean)
      }
      for result in results.dropFirst() {
        #expect(relativeDistance(result.outputs, results[0].outputs) < 2e-6)
        if trains { #expect(relativeDistance(result.gradients, results[0].gradients) < 5e-6) }
      }
    }
  }

  /// What others read stays what it is.
  @Test func whatOthersReadIsThere() async throws {
    var graph = try Self.network(Self.cases[0])
    let sum = try #require(graph.nodes.firstIndex { $0.layer == "sum" })
    graph.outputs.append(sum)
    try await EngineActor.run { [graph] () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
      let plans = try [[], [.sample]].map { without throws in
        try Plan(graph, parameters: bank, options: PlanOptions(batchSize: 1, without: Set(without)))
      }
      for plan in plans {
        plan.inputs[0].values.fill("input")
        plan.forward()
      }
      #expect(Array(plans[0].outputs[1].values) == Array(plans[1].outputs[1].values))
    }
  }

  private static func network(_ example: Case) throws -> Graph {
    var graph = Graph(name: "means")
    var node = try graph.addInput(Input(shape: [10, 8, 3]), named: "image")
    node = try graph.apply(Conv2D(filters: 32, kernelSize: Size2D(3), padding: .same), named: "stem", to: [node])
    node = try graph.apply(Activation(.relu()), named: "stem_function", to: [node])
    if example.meanIsFirst { node = try graph.apply(example.pooling, named: "mean", to: [node]) }
    node = try graph.apply(Conv2D(filters: example.filters, kernelSize: Size2D(1)), named: "sum", to: [node])
    if !example.meanIsFirst { node = try graph.apply(example.pooling, named: "mean", to: [node]) }
    node = try graph.apply(BatchNormalization(), named: "sum_bn", to: [node])
    node = try graph.apply(Activation(.relu()), named: "function", to: [node])
    node = try graph.apply(GlobalAveragePooling2D(), named: "pool", to: [node])
    graph.outputs = [try graph.apply(Dense(units: 4), named: "head", to: [node])]
    return graph
  }
}
