import Engine
import Graphs
import Tensors
import Testing

/// First convolutions by a loop of our own beside oneDNN's primitives.
@Suite struct StemTests {
  struct Stem: Sendable, CustomTestStringConvertible {
    var image = Size2D(23, 37)
    var channels = 3
    var outputs = 32
    var size = 3
    var stride = 2
    var dilation = 1
    var padding = Padding.same
    var border: Insets2D?
    var function = ActivationFunction.relu()
    var isRescaled = true
    /// Whether what comes behind it keeps images in blocks.
    var isBeforeBlocks = true
    var isFast = true

    var testDescription: String {
      "\(size) by \(size), stride \(stride), dilation \(dilation), \(padding), on \(image), "
        + "\(channels) to \(outputs), \(function)" + (border == nil ? "" : ", in a border")
        + (isRescaled ? ", rescaled" : "") + (isBeforeBlocks ? "" : ", by itself")
    }
  }

  static let stems = [
    Stem(), Stem(outputs: 64, size: 7, padding: .valid, border: Insets2D(3)), Stem(isRescaled: false),
    Stem(channels: 1, outputs: 48, size: 5), Stem(channels: 4, outputs: 96, size: 4, stride: 4, padding: .valid),
    Stem(channels: 2, outputs: 16, stride: 3, function: .relu(maxValue: 0.6)), Stem(size: 1, function: .linear),
    Stem(padding: .valid, border: Insets2D(top: 0, bottom: 1, left: 0, right: 1)),
    // Wider than what stays near, a window nearly as wide as the image, one of which zeros are most.
    Stem(image: Size2D(4, 430), channels: 4, size: 5, stride: 1, function: .softsign),
    Stem(image: Size2D(12), outputs: 80, size: 8, stride: 1, padding: .valid),
    Stem(size: 5, function: .relu(maxValue: 3)), Stem(image: Size2D(6), size: 7, stride: 1),
    Stem(image: Size2D(31, 16), size: 11, stride: 4),
    // Nothing but zeros before the last window ends.
    Stem(
      image: Size2D(31, 5), size: 1, stride: 8, padding: .valid, border: Insets2D(top: 0, bottom: 0, left: 26, right: 0)
    ),
    // By oneDNN.
    Stem(outputs: 24, isFast: false), Stem(channels: 5, isFast: false), Stem(stride: 1, dilation: 2, isFast: false),
    Stem(isBeforeBlocks: false, isFast: false),
  ]

  @Test(arguments: stems, [nil, 1])
  func resultsAndGradientsAreThoseOfOneDNN(stem: Stem, laneCount: Int?) async throws {
    let graph = try Self.network(stem)
    let all = Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path))
    let biases = all.filter { $0.variable == "bias" || $0.variable == "beta" }
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph, gain: 1.5))
      for trainable: Set<ParameterPath> in [[], all, biases] {
        var results: [(outputs: [Float], gradients: [Float])] = []
        for without: Set<PlanOptions.Pass> in [[], [.loops], [.fuse], [.fold]] {
          var options = PlanOptions(batchSize: 2, trainable: trainable, without: without)
          options.laneCount = laneCount
          let plan = try Plan(graph, parameters: bank, options: options)
          for part in 0..<2 {
            plan.inputs[0].values.fill("input \(part)")
            plan.forward()
            if trainable.isEmpty { continue }
            plan.outputGradients[0].fill("gradient \(part)")
            plan.backward(accumulating: part > 0, completing: part == 1)
          }
          let ranges = plan.gradients.ranges.sorted { "\($0.path)" < "\($1.path)" }.map(\.range)
          results.append((Array(plan.outputs[0].values), ranges.flatMap { plan.gradients.values[$0] }))
          guard without.isEmpty || without == [.loops] else { continue }
          let found = Set(plan.profile(repeats: 1).map(\.implementation))
          let isOwn = without.isEmpty && stem.isFast && Self.hasLoop
          #expect(found.contains("stem") == isOwn)
          #expect(found.contains("stem_gradient") == (isOwn && trainable == all))
        }
        for result in results {
          #expect(relativeDistance(result.outputs, results[1].outputs) < 1e-6)
          if !trainable.isEmpty { #expect(relativeDistance(result.gradients, results[1].gradients) < 5e-6) }
        }
      }
    }
  }

  @Test func resultsDoNotDependOnThreadsOrTheBatch() async throws {
    let graph = try Self.network(Stem(outputs: 64))
    let kernel = try #require(graph.parameters.first { $0.path.layer == "stem" }?.path)
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph, gain: 1.5))
      let usual = EngineThreads.use(0)
      defer { EngineThreads.use(usual) }
      var gradients: [[Float]] = []
      for threads in [1, 2, 3] {
        EngineThreads.use(threads)
        var options = PlanOptions(batchSize: 3, trainable: [kernel])
        options.laneCount = 1
        let plan = try Plan(graph, parameters: bank, options: options)
        plan.inputs[0].values.fill("input")
        plan.forward()
        plan.outputGradients[0].fill("gradient")
        plan.backward()
        gradients.append(Array(plan.gradients.values))
      }
      #expect(gradients[0] == gradients[1] && gradients[0] == gradients[2])
    }
  }

  @EngineActor static var hasLoop: Bool { EngineDescription.current.instructions.hasPrefix("avx512") }

  /// Rescaling, the convolution, one of three by three if there is to be one that likes blocks, a pooling and a head.
  private static func network(_ stem: Stem) throws -> Graph {
    var graph = Graph(name: "stem")
    let shape: Shape = [stem.image.height, stem.image.width, stem.channels]
    var node = try graph.addInput(Input(shape: shape), named: "image")
    if stem.isRescaled {
      let scale = (0..<stem.channels).map { 1.25 + 0.5 * Float($0) }
      let rescaling = Rescaling(scale: scale, offset: scale.map { 0.25 - 0.125 * $0 })
      node = try graph.apply(rescaling, named: "rescaling", to: [node])
    }
    if let border = stem.border {
      node = try graph.apply(ZeroPadding2D(padding: border), named: "border", to: [node])
    }
    let convolution = Conv2D(
      filters: stem.outputs, kernelSize: Size2D(stem.size), strides: Size2D(stem.stride), padding: stem.padding,
      dilation: Size2D(stem.dilation))
    node = try graph.apply(convolution, named: "stem", to: [node])
    node = try graph.apply(BatchNormalization(), named: "stem_bn", to: [node])
    if stem.function != .linear {
      node = try graph.apply(Activation(stem.function), named: "stem_function", to: [node])
    }
    if stem.isBeforeBlocks {
      // No bias, whose many equal gradients behind an average a primitive adds up with large errors.
      let dense = Conv2D(filters: 16, kernelSize: Size2D(3), padding: .same, usesBias: false)
      node = try graph.apply(dense, named: "dense", to: [node])
    }
    node = try graph.apply(GlobalAveragePooling2D(), named: "pool", to: [node])
    graph.outputs = [try graph.apply(Dense(units: 4), named: "head", to: [node])]
    return graph
  }
}
