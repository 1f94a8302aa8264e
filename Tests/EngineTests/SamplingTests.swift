import Engine
import Graphs
import Tensors
import Testing

/// Pixels that strides leave out, which nothing before them makes.
@Suite struct SamplingTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let train: Train
    var precision = PlanOptions.Precision.f32
    var statistics = PlanOptions.BatchNormalizationMode.frozenStatistics
    var strides = Size2D(2)
    var image = Size2D(9, 12)

    enum Train { case all, last, nothing }

    var testDescription: String { "\(train) trains, every \(strides) of \(image), \(precision), \(statistics)" }
  }

  static let cases = [
    Case(train: .all), Case(train: .last), Case(train: .nothing), Case(train: .all, strides: Size2D(3, 2)),
    Case(train: .nothing, strides: Size2D(1, 5), image: Size2D(8, 7)), Case(train: .all, image: Size2D(3, 4)),
    Case(train: .all, statistics: .trainingStatistics),
    Case(train: .all, precision: .bf16), Case(train: .nothing, precision: .bf16),
  ]

  @Test(arguments: cases)
  func resultsAreThoseOfAllPixels(example: Case) async throws {
    let graph = try Self.network(example.image, strides: example.strides)
    let trainable = Set(
      graph.parameters.filter { $0.parameter.isTrainable }.map(\.path).filter {
        switch example.train {
        case .all: true
        case .last: ["down", "around", "head"].contains($0.layer)
        case .nothing: false
        }
      })
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph, gain: 1.5))
      var results: [(outputs: [Float], gradients: [Float], operationCount: Int)] = []
      // What is fused decides where bfloat16 is rounded.
      let passes: [PlanOptions.Pass] = example.precision == .f32 ? [.loops, .layout, .fuse] : []
      for (network, others) in [(graph, passes), (graph.sampledAhead(), [])] {
        for without in [[.sample], []] + others.map({ [$0] }) {
          var options = PlanOptions(
            batchSize: 2, trainable: trainable, trainingLayers: Set(trainable.map(\.layer)),
            batchNormalization: example.statistics, precision: example.precision,
            without: Set(without))
          options.laneCount = example.statistics == .trainingStatistics ? 1 : 2
          let plan = try Plan(network, parameters: bank, options: options)
          plan.inputs[0].values.fill("input")
          plan.forward()
          plan.outputGradients.first?.fill("gradient")
          if !trainable.isEmpty { plan.backward() }
          // By name: what is fused decides which comes first.
          let ranges = plan.gradients.ranges.sorted { "\($0.path)" < "\($1.path)" }.map(\.range)
          let gradients = ranges.flatMap { plan.gradients.values[$0] }
          results.append((Array(plan.outputs[0].values), gradients, plan.operationCount))
        }
      }
      // Three quarters of a stage's last convolutions, or as much as the strides leave out; statistics are of all pixels.
      let leavesOut = example.statistics == .frozenStatistics
      #expect(leavesOut == (results[1].operationCount < results[0].operationCount))
      #expect(results.last?.operationCount == results[1].operationCount)
      let tolerance = example.precision == .f32 ? 5e-6 : 3e-2
      for result in results.dropFirst() {
        #expect(relativeDistance(result.outputs, results[0].outputs) < tolerance)
        if !trainable.isEmpty { #expect(relativeDistance(result.gradients, results[0].gradients) < tolerance) }
      }
    }
  }

  /// What is kept of a frozen part has only the pixels that what trains reads.
  @Test func fewerPixelsCrossTheFrontier() throws {
    let graph = try Self.network(Size2D(9, 12), strides: Size2D(2))
    let trainable: Set = [ParameterPath("down", "kernel"), ParameterPath("around", "kernel")]
    let kept = { (graph: Graph) in
      Frontier(graph, trainable: trainable).prefix.map { prefix in
        prefix.outputs.map { prefix.nodes[$0].outputShape.dimensions }
      }
    }
    #expect(kept(graph) == [[9, 12, 64]])
    #expect(kept(graph.sampledAhead()) == [[5, 6, 64]])
  }

  /// What others read, or is asked for, is made whole.
  @Test func whatOthersReadIsWhole() throws {
    var graph = try Self.network(Size2D(9, 12), strides: Size2D(2))
    let end = try #require(graph.nodes.firstIndex { $0.layer == "end" })
    graph.outputs.append(end)
    #expect(graph.sampledAhead() == graph)
  }

  /// The parameters keep their names and places, and the new layer stands in the stage of what reads it.
  @Test func parametersAreTheSame() throws {
    var graph = try Self.network(Size2D(9, 12), strides: Size2D(2))
    try graph.setStages([("stem", "stem"), ("one", "end"), ("two", "end_of_two")])
    let ahead = graph.sampledAhead()
    #expect(ahead.parameters.map(\.path) == graph.parameters.map(\.path))
    #expect(ahead.parameters.map(\.parameter) == graph.parameters.map(\.parameter))
    #expect(ahead.stages.map(\.name) == graph.stages.map(\.name))
    #expect(ahead.stages[2].layers == ["down/sample"] + graph.stages[2].layers)
  }

  /// The end of one stage of a residual network and the beginning of the next.
  private static func network(_ image: Size2D, strides: Size2D) throws -> Graph {
    var graph = Graph(name: "stages")
    var node = try graph.addInput(Input(shape: [image.height, image.width, 3]), named: "image")
    func convolve(
      _ name: String, _ filters: Int, _ size: Int = 1, from input: Graph.Node.ID, strides: Size2D = Size2D(1)
    ) throws -> Graph.Node.ID {
      let convolution = Conv2D(
        filters: filters, kernelSize: Size2D(size), strides: strides, padding: .same, usesBias: false)
      let made = try graph.apply(convolution, named: name, to: [input])
      return try graph.apply(BatchNormalization(), named: "\(name)_bn", to: [made])
    }
    func activate(_ name: String, _ input: Graph.Node.ID) throws -> Graph.Node.ID {
      try graph.apply(Activation(.relu()), named: name, to: [input])
    }
    node = try graph.apply(Conv2D(filters: 64, kernelSize: Size2D(3), padding: .same), named: "stem", to: [node])
    let before = node
    node = try activate("one", convolve("reduce", 32, from: node))
    node = try activate("two", convolve("look", 32, 3, from: node))
    node = try graph.apply(Add(), named: "sum", to: [convolve("expand", 64, from: node), before])
    node = try activate("end", node)
    let down = try activate("three", convolve("down", 32, from: node, strides: strides))
    let around = try convolve("around", 48, from: node, strides: strides)
    node = try graph.apply(Add(), named: "sum_of_two", to: [convolve("up", 48, from: down), around])
    node = try activate("end_of_two", node)
    node = try graph.apply(GlobalAveragePooling2D(), named: "pool", to: [node])
    graph.outputs = [try graph.apply(Dense(units: 4), named: "head", to: [node])]
    return graph
  }
}
