import Engine
import Graphs
import Tensors
import Testing

/// Expansion, depthwise convolution and projection in one go beside oneDNN's primitives one after another.
@Suite struct InvertedResidualTests {
  struct Block: Sendable, CustomTestStringConvertible {
    var image = Size2D(13, 11)
    var inputs = 24
    /// Nil where there is no expansion.
    var expanded: Int? = 96
    var outputs = 24
    var size = 3
    var stride = 1
    var hasResidual = false
    var function = ActivationFunction.relu(maxValue: 6)
    var isFast = true

    var testDescription: String {
      "\(image), \(inputs) to \(expanded ?? inputs) to \(outputs), \(size) by \(size), stride \(stride), \(function)"
        + (hasResidual ? ", with a way around" : "")
    }
  }

  static let blocks = [
    Block(), Block(hasResidual: true), Block(outputs: 72, stride: 2), Block(size: 5, hasResidual: true),
    Block(image: Size2D(14, 15), inputs: 16, outputs: 40, size: 5, stride: 2), Block(function: .relu()),
    Block(inputs: 32, expanded: nil, outputs: 16), Block(inputs: 32, expanded: nil, outputs: 32, hasResidual: true),
    // Smaller than the window, a single row, and one of several portions.
    Block(image: Size2D(2), size: 5), Block(image: Size2D(1, 40)), Block(image: Size2D(60, 9), inputs: 8),
    // Channels that fill no blocks, another window, a function that does not only cut: one after another.
    Block(expanded: 40, isFast: false), Block(size: 7, isFast: false), Block(function: .silu, isFast: false),
  ]

  @Test(arguments: blocks, [nil, 1])
  func resultsAreThoseOfOneDNN(block: Block, laneCount: Int?) async throws {
    let graph = try Self.network(block)
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph, gain: 1.5))
      var outputs: [[Float]] = []
      for without: Set<PlanOptions.Pass> in [[], [.loops], [.fuse], [.layout]] {
        var options = PlanOptions(batchSize: 2, without: without)
        options.laneCount = laneCount
        let plan = try Plan(graph, parameters: bank, options: options)
        plan.inputs[0].values.fill("input")
        plan.forward()
        outputs.append(Array(plan.outputs[0].values))
        let isJoined = plan.profile(repeats: 1).contains { $0.implementation == "inverted_residual" }
        #expect(isJoined == (without.isEmpty && block.isFast && Self.hasLoop))
      }
      for output in outputs { #expect(relativeDistance(output, outputs[1]) < 1e-6) }
    }
  }

  static let trained = [
    Block(), Block(hasResidual: true), Block(outputs: 72, stride: 2), Block(image: Size2D(60, 9), inputs: 8),
    Block(image: Size2D(15, 14), inputs: 16, outputs: 16, stride: 2), Block(image: Size2D(1, 70)),
    Block(inputs: 32, expanded: 64, outputs: 32, hasResidual: true), Block(function: .relu()),
    Block(function: .linear),
    // Another window, channels that fill no blocks, no expansion, a small image, another function: by themselves.
    Block(size: 5, isFast: false), Block(expanded: 40, isFast: false),
    Block(inputs: 32, expanded: nil, outputs: 16, isFast: false), Block(image: Size2D(7), isFast: false),
    Block(function: .silu, isFast: false),
  ]

  @Test(arguments: trained)
  func gradientsAreThoseOfOneDNN(block: Block) async throws {
    let graph = try Self.network(block)
    let all = Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path))
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph, gain: 1.5))
      var gradients: [[Float]] = []
      for without: Set<PlanOptions.Pass> in [[], [.loops], [.fuse], [.layout]] {
        var options = PlanOptions(batchSize: 4, trainable: all, without: without)
        options.laneCount = 2
        let plan = try Plan(graph, parameters: bank, options: options)
        // Twice, the second time adding.
        for part in 0..<2 {
          plan.inputs[0].values.fill("input \(part)")
          plan.forward()
          plan.outputGradients[0].fill("gradient \(part)")
          plan.backward(accumulating: part > 0, completing: part == 1)
        }
        gradients.append(Array(plan.gradients.values))
        let isJoined = plan.profile(repeats: 1).contains { $0.implementation == "inverted_backward" }
        #expect(isJoined == (without.isEmpty && block.isFast && Self.hasLoop))
      }
      for gradient in gradients { #expect(relativeDistance(gradient, gradients[1]) < 5e-6) }
    }
  }

  @Test func resultsDoNotDependOnThreadsOrTheBatch() async throws {
    let graph = try Self.network(Block(image: Size2D(30), hasResidual: true))
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph, gain: 1.5))
      let usual = EngineThreads.use(0)
      defer { EngineThreads.use(usual) }
      var outputs: [[Float]] = []
      for threads in [1, 2, 3] {
        EngineThreads.use(threads)
        var options = PlanOptions(batchSize: 3)
        options.laneCount = 1
        let plan = try Plan(graph, parameters: bank, options: options)
        plan.inputs[0].values.fill("input")
        plan.forward()
        outputs.append(Array(plan.outputs[0].values))
      }
      #expect(outputs[0] == outputs[1] && outputs[0] == outputs[2])
    }
  }

  /// What is changed in the bank is taken over, and what trains keeps its three convolutions.
  @Test func newWeightsAreTakenOverAndTrainingIsLeftAlone() async throws {
    let graph = try Self.network(Block(hasResidual: true))
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph, gain: 1.5))
      let plan = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: 1))
      plan.inputs[0].values.fill("input")
      for layer in ["expand_bn", "depthwise", "project"] {
        plan.forward()
        let before = Array(plan.outputs[0].values)
        let path = try #require(graph.parameters.first { $0.path.layer == layer }?.path)
        let values = bank.values(at: path)
        for index in values.indices { values[index] *= 1.25 }
        bank.changed([path])
        plan.forward()
        let after = Array(plan.outputs[0].values)
        #expect(before != after)
        let fresh = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: 1, without: [.loops]))
        fresh.inputs[0].values.fill("input")
        fresh.forward()
        #expect(relativeDistance(after, Array(fresh.outputs[0].values)) < 1e-6)
      }
      let all = Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path))
      let training = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: 1, trainable: all))
      #expect(!training.profile(repeats: 1).contains { $0.implementation == "inverted_residual" })
    }
  }

  @EngineActor static var hasLoop: Bool { EngineDescription.current.instructions.hasPrefix("avx512") }

  /// A convolution with a stride of 2, the block, a pooling and a head.
  private static func network(_ block: Block) throws -> Graph {
    var graph = Graph(name: "inverted")
    let size = Size2D(block.image.height * 2, block.image.width * 2)
    var node = try graph.addInput(Input(shape: [size.height, size.width, 3]), named: "image")
    func convolve(_ name: String, _ layer: any Layer, function: ActivationFunction?) throws {
      node = try graph.apply(layer, named: name, to: [node])
      node = try graph.apply(BatchNormalization(), named: "\(name)_bn", to: [node])
      if let function { node = try graph.apply(Activation(function), named: "\(name)_function", to: [node]) }
    }
    let stem = Conv2D(filters: block.inputs, kernelSize: Size2D(3), strides: Size2D(2), padding: .same)
    try convolve("stem", stem, function: .relu(maxValue: 6))
    let around = node
    if let expanded = block.expanded {
      try convolve("expand", Conv2D(filters: expanded, kernelSize: Size2D(1)), function: block.function)
    }
    let depthwise = DepthwiseConv2D(
      kernelSize: Size2D(block.size), strides: Size2D(block.stride), padding: .same, usesBias: false)
    try convolve("depthwise", depthwise, function: block.function)
    try convolve("project", Conv2D(filters: block.outputs, kernelSize: Size2D(1)), function: nil)
    if block.hasResidual { node = try graph.apply(Add(), named: "sum", to: [node, around]) }
    node = try graph.apply(GlobalAveragePooling2D(), named: "pool", to: [node])
    graph.outputs = [try graph.apply(Dense(units: 7), named: "head", to: [node])]
    return graph
  }
}
