import Engine
import Graphs
import Tensors
import Testing

/// Dense convolutions by loops of our own beside oneDNN's primitives.
@Suite struct LoopTests {
  struct Window: Sendable, CustomTestStringConvertible {
    var size = 3
    var image = Size2D(13, 11)
    // Where blocks have eight channels, and twice as many where they have sixteen.
    var inputs = 16
    var outputs = 24
    var padding = Padding.same
    var function = ActivationFunction.relu()
    var hasResidual = false
    var border = 0
    var stride = 1

    var testDescription: String {
      "\(size) by \(size) on \(image), \(inputs) to \(outputs), \(padding), \(function)"
        + (hasResidual ? ", with a way around" : "") + (border > 0 ? ", in a border of \(border)" : "")
        + (stride > 1 ? ", every \(stride)" : "")
    }
  }

  static let windows = [
    Window(), Window(padding: .valid), Window(image: Size2D(4, 5), inputs: 40, outputs: 16),
    Window(image: Size2D(6, 9), function: .relu(maxValue: 0.6)), Window(outputs: 16, hasResidual: true),
    Window(inputs: 24, outputs: 24, function: .linear, hasResidual: true),
    // So many channels and pixels that there are several portions of each; without a kink, which some of so many results
    // would be on different sides of.
    Window(image: Size2D(24, 22), inputs: 280, outputs: 248, padding: .valid, function: .linear),
    Window(size: 1), Window(size: 1, outputs: 8, function: .relu(maxValue: 0.6)),
    Window(size: 1, image: Size2D(3, 2), inputs: 48, outputs: 40),
    Window(size: 1, image: Size2D(17, 13), inputs: 232, outputs: 16),
    Window(padding: .valid, border: 2), Window(padding: .valid, border: 3), Window(size: 1, border: 1),
    Window(size: 1, stride: 2), Window(size: 1, image: Size2D(7, 8), function: .linear, hasResidual: true, stride: 3),
    Window(image: Size2D(14), hasResidual: true, stride: 2),
    Window(image: Size2D(24, 22), inputs: 104, outputs: 88, function: .linear, hasResidual: true, stride: 2),
    Window(size: 2, image: Size2D(12, 14), padding: .valid, hasResidual: true, stride: 2),
    Window(size: 5, image: Size2D(10, 12), function: .linear, hasResidual: true, stride: 2),
    // The last row and column of an odd image begin no window.
    Window(image: Size2D(13), padding: .valid, function: .linear, stride: 2),
  ]

  @Test(arguments: windows, [nil, 1])
  func resultsAreThoseOfOneDNN(window: Window, laneCount: Int?) async throws {
    let graph = try await Self.network(window)
    let all = Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path))
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph, gain: 1.5))
      var results: [(outputs: [Float], gradients: [Float])] = []
      var loops: [Set<String>] = []
      for without: Set<PlanOptions.Pass> in [[], [.loops], [.fuse], [.fold]] {
        var options = PlanOptions(batchSize: 2, trainable: all, without: without)
        options.wantsInputGradients = true
        options.laneCount = laneCount
        let plan = try Plan(graph, parameters: bank, options: options)
        plan.inputs[0].values.fill("input")
        // Twice, and the sums kept: what is added to what is there is added to it.
        for pass in 0..<2 {
          plan.forward()
          plan.outputGradients[0].fill("gradient \(pass)")
          plan.backward(accumulating: pass > 0)
        }
        // By name: what is fused decides which comes first.
        let ranges = plan.gradients.ranges.sorted { "\($0.path)" < "\($1.path)" }.map(\.range)
        let gradients = ranges.flatMap { plan.gradients.values[$0] } + Array(plan.inputGradients[0])
        results.append((Array(plan.outputs[0].values), gradients))
        loops.append(Set(plan.profile(repeats: 1).map(\.implementation)))
      }
      if Self.hasLoops {
        let pointwise: Set = Self.blockWidth == 16 ? ["pointwise", "pointwise_gradient"] : ["pointwise_gradient"]
        let strided: Set = Self.blockWidth == 16 ? pointwise.union(["subsample", "subsample_gradient"]) : []
        let taps: Set = Self.blockWidth == 16 ? ["strided", "strided_gradient"] : []
        let expected: Set =
          switch (window.size, window.stride) {
          case (1, 1): pointwise
          case (1, _): strided
          case (3, 1): ["winograd", "winograd_gradient"]
          default: window.hasResidual ? taps : []
          }
        #expect(window.border > (window.size == 3 ? 2 : 0) || loops[0].isSuperset(of: expected))
        #expect(loops[1].isDisjoint(with: expected))
      }
      for result in [results[0], results[2], results[3]] {
        #expect(relativeDistance(result.outputs, results[1].outputs) < 1e-6)
        #expect(relativeDistance(result.gradients, results[1].gradients) < 5e-6)
      }
    }
  }

  @Test func resultsDoNotDependOnThreadsOrTheBatch() async throws {
    let graph = try await Self.network(Window(image: Size2D(14), inputs: 32, outputs: 48))
    let all = Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path))
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph, gain: 1.5))
      let usual = EngineThreads.use(0)
      defer { EngineThreads.use(usual) }
      var gradients: [[Float]] = []
      for threads in [1, 2, 3] {
        EngineThreads.use(threads)
        var options = PlanOptions(batchSize: 3, trainable: all)
        options.laneCount = 1
        let plan = try Plan(graph, parameters: bank, options: options)
        plan.inputs[0].values.fill("input")
        plan.forward()
        plan.outputGradients[0].fill("gradient")
        plan.backward()
        // Those before and behind it are oneDNN's, which adds what its threads have found.
        let own = plan.gradients.ranges.filter { $0.path.layer == "dense" }
        gradients.append(own.flatMap { plan.gradients.values[$0.range] })
      }
      #expect(gradients[0] == gradients[1] && gradients[0] == gradients[2])

      var outputs: [[Float]] = []
      for batchSize in [1, 3] {
        let plan = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: batchSize))
        plan.inputs[0].values.fill("input")
        plan.forward()
        outputs.append(Array(plan.outputs[0].values.prefix(4)))
      }
      #expect(relativeDistance(outputs[0], outputs[1]) < 1e-6)
    }
  }

  /// Whether there are loops for this processor.
  @EngineActor static var hasLoops: Bool { blockWidth > 8 || EngineDescription.current.instructions.hasPrefix("avx2") }

  /// How many channels oneDNN keeps together here: eight with AVX2, sixteen with AVX-512.
  @EngineActor static var blockWidth: Int { EngineDescription.current.instructions.hasPrefix("avx512") ? 16 : 8 }

  /// Convolution, function, the one in question, function, convolution; perhaps with a way around the second.
  private static func network(_ window: Window) async throws -> Graph {
    var window = window
    let factor = await EngineActor.run { blockWidth / 8 }
    window.inputs *= factor
    window.outputs *= factor
    var graph = Graph(name: "loops")
    var node = try graph.addInput(Input(shape: [window.image.height, window.image.width, 3]), named: "image")
    node = try graph.apply(Conv2D(filters: window.inputs, kernelSize: Size2D(1)), named: "expand", to: [node])
    node = try graph.apply(Activation(.relu()), named: "expand_function", to: [node])
    var around = node
    if window.hasResidual, window.inputs != window.outputs {
      around = try graph.apply(
        Conv2D(
          filters: window.outputs, kernelSize: Size2D(1), strides: Size2D(window.stride), usesBias: false),
        named: "around", to: [around])
    }
    if window.border > 0 {
      node = try graph.apply(ZeroPadding2D(padding: Insets2D(window.border)), named: "border", to: [node])
    }
    node = try graph.apply(
      Conv2D(
        filters: window.outputs, kernelSize: Size2D(window.size), strides: Size2D(window.stride),
        padding: window.padding),
      named: "dense", to: [node])
    node = try graph.apply(BatchNormalization(), named: "dense_bn", to: [node])
    if window.hasResidual { node = try graph.apply(Add(), named: "sum", to: [node, around]) }
    if window.function != .linear {
      node = try graph.apply(Activation(window.function), named: "dense_function", to: [node])
    }
    node = try graph.apply(Conv2D(filters: 5, kernelSize: Size2D(1)), named: "project", to: [node])
    node = try graph.apply(GlobalAveragePooling2D(), named: "pool", to: [node])
    graph.outputs = [try graph.apply(Dense(units: 4), named: "head", to: [node])]
    return graph
  }
}
