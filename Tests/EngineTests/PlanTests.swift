import Backbones
import Engine
import Graphs
import Tensors
import Testing

/// What a plan promises whatever it does on its way.
@Suite struct PlanTests {
  /// A small residual network without kinks, so that rounding cannot flip a gradient.
  static func smoothNetwork() throws -> Graph {
    var graph = Graph(name: "smooth")
    var node = try graph.addInput(Input(shape: [12, 10, 3]), named: "image")
    node = try graph.apply(
      Conv2D(filters: 19, kernelSize: Size2D(3), strides: Size2D(2), padding: .same, usesBias: false), named: "stem",
      to: [node])
    node = try graph.apply(BatchNormalization(), named: "stem_bn", to: [node])
    node = try graph.apply(Activation(.tanh), named: "stem_tanh", to: [node])
    for block in 1...2 {
      let start = node
      node = try graph.apply(
        Conv2D(filters: 24, kernelSize: Size2D(1), usesBias: false), named: "expand\(block)", to: [node])
      node = try graph.apply(BatchNormalization(), named: "expand\(block)_bn", to: [node])
      node = try graph.apply(Activation(.silu), named: "expand\(block)_silu", to: [node])
      node = try graph.apply(
        DepthwiseConv2D(kernelSize: Size2D(3), padding: .same), named: "depthwise\(block)", to: [node])
      node = try graph.apply(BatchNormalization(), named: "depthwise\(block)_bn", to: [node])
      node = try graph.apply(Activation(.sigmoid), named: "depthwise\(block)_sigmoid", to: [node])
      node = try graph.apply(Conv2D(filters: 19, kernelSize: Size2D(1)), named: "project\(block)", to: [node])
      node = try graph.apply(Add(), named: "sum\(block)", to: [start, node])
    }
    node = try graph.apply(GlobalAveragePooling2D(), named: "pool", to: [node])
    node = try graph.apply(Dropout(rate: 0.3), named: "dropout", to: [node])
    graph.outputs = [try graph.apply(Dense(units: 5), named: "head", to: [node])]
    return graph
  }

  static func trainable(_ graph: Graph) -> [ParameterPath] {
    graph.parameters.filter(\.parameter.isTrainable).map(\.path)
  }

  /// Relative L2 distance.
  private func distance(_ a: some Collection<Float>, _ b: some Collection<Float>) -> Double {
    let difference = zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
    let size = b.reduce(0.0) { $0 + Double($1) * Double($1) }
    return (difference / max(size, 1e-30)).squareRoot()
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func whatTrainsHasTheGradientsOfTheFullyTrainableRun(seed: UInt64) async throws {
    let graph = try Self.smoothNetwork()
    let all = Self.trainable(graph)
    let draws = Tensor(generatedFor: "\(seed)", shape: [all.count], factor: 1, summand: 0).floats
    let chosen = Set(zip(all, draws).filter { $0.1 < 0.3 }.map(\.0))
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
      let full = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: 3, trainable: Set(all)))
      let part = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: 3, trainable: chosen))
      for plan in [full, part] {
        plan.inputs[0].values.fill("input")
        plan.forward()
        plan.outputGradients.first?.fill("gradient")
        plan.backward()
      }
      for path in chosen {
        let expected = try #require(full.gradients[path])
        let found = try #require(part.gradients[path])
        // The same sums in another order of folding: single precision.
        #expect(distance(found, expected) < 3e-4, "seed \(seed): \(path)")
      }
      #expect(part.gradients.ranges.count == chosen.count)
    }
  }

  @Test(arguments: ["stem_bn", "depthwise1", "project2", "head"])
  func prefixAndSuffixTogetherAreTheNetwork(first: String) async throws {
    let graph = try Self.smoothNetwork()
    let start = try #require(graph.layerNames.firstIndex(of: first))
    let layers = Set(graph.layerNames[start...])
    let chosen = Set(Self.trainable(graph).filter { layers.contains($0.layer) })
    let frontier = Frontier(graph, trainable: chosen)
    let prefix = try #require(frontier.prefix)
    #expect(prefix.parameters.allSatisfy { !chosen.contains($0.path) })
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
      let whole = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: 2))
      let before = try Plan(prefix, parameters: bank, options: PlanOptions(batchSize: 2))
      let after = try Plan(
        frontier.suffix, parameters: bank, options: PlanOptions(batchSize: 2, trainable: chosen))
      for plan in [whole, before] {
        plan.inputs[0].values.fill("input")
        plan.forward()
      }
      for (input, output) in zip(after.inputs, before.outputs) {
        _ = input.values.update(fromContentsOf: output.values)
      }
      after.forward()
      #expect(distance(after.outputs[0].values, whole.outputs[0].values) < 1e-5)
    }
  }

  @Test(arguments: [PlanOptions.BatchNormalizationMode.frozenStatistics, .trainingStatistics])
  func computingActivationsAgainSavesMemoryAndChangesNoBit(mode: PlanOptions.BatchNormalizationMode) async throws {
    let family = try #require(BackboneFamily.named("mobilenetv2-0.35"))
    let graph = try family.graph(size: Size2D(96), classCount: 10)
    try await EngineActor.run { () throws(any Error) in
      let whole = try Self.step(graph, mode, budget: nil)
      #expect(whole.plan.segmentCount == 1)
      let budget = whole.plan.arenaByteCount * 3 / 4
      let part = try Self.step(graph, mode, budget: budget)
      #expect(part.plan.segmentCount > 1)
      #expect(part.plan.arenaByteCount <= budget)
      #expect(part.outputs == whole.outputs)
      #expect(part.gradients == whole.gradients)
      for (path, tensor) in whole.parameters.tensors {
        #expect(part.parameters[path]?.floats == tensor.floats, "\(path)")
      }
      var code: EngineError.Code?
      do { _ = try Self.step(graph, mode, budget: 1 << 20) } catch { code = (error as? EngineError)?.code }
      #expect(code == .memory)
    }
  }

  /// One step from fresh weights with a plan that may take so much memory.
  @EngineActor private static func step(
    _ graph: Graph, _ mode: PlanOptions.BatchNormalizationMode, budget: Int?
  ) throws -> (plan: Plan, outputs: [Float], gradients: [Float], parameters: Weights) {
    let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
    let plan = try Plan(
      graph, parameters: bank,
      options: PlanOptions(
        batchSize: 4, trainable: Set(trainable(graph)), trainingLayers: Set(graph.layerNames),
        batchNormalization: mode, memoryBudget: budget, seed: 5))
    plan.inputs[0].values.fill("input")
    plan.forward(step: 3)
    plan.outputGradients[0].fill("gradient")
    plan.backward()
    return (plan, Array(plan.outputs[0].values), Array(plan.gradients.values), bank.snapshot())
  }

  @Test func gradientsOfMicroBatchesAddUpToThoseOfTheBatch() async throws {
    let graph = try Self.smoothNetwork()
    let all = Set(Self.trainable(graph))
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
      let whole = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: 4, trainable: all))
      let part = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: 2, trainable: all))
      whole.inputs[0].values.fill("input")
      let gradient = Tensor(generatedFor: "gradient", shape: [4 * 5], factor: 2, summand: -1).floats
      let pixels = Array(whole.inputs[0].values)
      whole.forward()
      _ = whole.outputGradients[0].update(fromContentsOf: gradient)
      whole.backward()
      for half in 0..<2 {
        _ = part.inputs[0].values.update(
          fromContentsOf: pixels[(half * pixels.count / 2)..<((half + 1) * pixels.count / 2)])
        part.forward()
        _ = part.outputGradients[0].update(fromContentsOf: gradient[(half * 10)..<(half * 10 + 10)])
        part.backward(accumulating: half > 0)
      }
      for (path, range) in whole.gradients.ranges {
        #expect(distance(part.gradients.values[range], whole.gradients.values[range]) < 1e-5, "\(path)")
      }
    }
  }

  @Test func lanesAddUpToTheSameGradientsWheneverTheyAreAskedFor() async throws {
    let graph = try Self.smoothNetwork()
    let all = Set(Self.trainable(graph))
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
      var options = PlanOptions(batchSize: 4, trainable: all, trainingLayers: ["dropout"], seed: 7)
      var results: [(outputs: [Float], gradients: [Float])] = []
      for laneCount in [1, 2, 4] {
        options.laneCount = laneCount
        let plan = try Plan(graph, parameters: bank, options: options)
        // Three batches, of which the first stands alone and the others are parts of one.
        for (step, completing) in [(0, true), (1, false), (2, true)] {
          plan.inputs[0].values.fill("input\(step)")
          plan.forward(step: UInt64(step))
          plan.outputGradients[0].fill("gradient\(step)")
          plan.backward(accumulating: step > 1, completing: completing)
        }
        results.append((Array(plan.outputs[0].values), Array(plan.gradients.values)))
      }
      for result in results.dropFirst() {
        // The same masks fall, whichever lane a sample is in.
        #expect(distance(result.outputs[...], results[0].outputs[...]) < 1e-6)
        #expect(distance(result.gradients[...], results[0].gradients[...]) < 1e-5)
      }
    }
  }

  @Test func whereLanesTakeTooMuchOneIsEnough() async throws {
    let graph = try Self.smoothNetwork()
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
      var options = PlanOptions(batchSize: 4, trainable: Set(Self.trainable(graph)))
      options.laneCount = 1
      let one = try Plan(graph, parameters: bank, options: options)
      options.laneCount = 4
      let four = try Plan(graph, parameters: bank, options: options)
      #expect(four.arenaByteCount > one.arenaByteCount)
      options.memoryBudget = one.arenaByteCount
      let fitting = try Plan(graph, parameters: bank, options: options)
      #expect(fitting.arenaByteCount == one.arenaByteCount)
      #expect(fitting.segmentCount == 1)
    }
  }

  @Test func aPlanSeesParametersThatHaveChanged() async throws {
    let graph = try Self.smoothNetwork()
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
      let plan = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: 1))
      plan.inputs[0].values.fill("input")
      plan.forward()
      let before = Array(plan.outputs[0].values)
      for path in [
        ParameterPath("stem_bn", "gamma"), ParameterPath("expand1", "kernel"), ParameterPath("head", "bias"),
      ] {
        let values = bank.values(at: path)
        values[0] += 0.5
        bank.changed([path])
        plan.forward()
        #expect(Array(plan.outputs[0].values) != before, "\(path)")
        values[0] -= 0.5
        bank.changed([path])
        plan.forward()
        #expect(Array(plan.outputs[0].values) == before, "\(path)")
      }
    }
  }

  @Test func dropoutDrawsTheSameMaskForTheSameStepAndKeepsTheMean() async throws {
    var graph = Graph(name: "dropout")
    let input = try graph.addInput(Input(shape: [10_000]), named: "input")
    graph.outputs = [try graph.apply(Dropout(rate: 0.25), named: "dropout", to: [input])]
    let network = graph
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: network, weights: Weights())
      let plan = try Plan(
        network, parameters: bank, options: PlanOptions(batchSize: 1, trainingLayers: ["dropout"], seed: 7))
      plan.inputs[0].values.update(repeating: 1)
      plan.forward(step: 1)
      let first = Array(plan.outputs[0].values)
      plan.forward(step: 2)
      let second = Array(plan.outputs[0].values)
      plan.forward(step: 1)
      #expect(Array(plan.outputs[0].values) == first)
      #expect(second != first)
      #expect(Set(first) == [0, Float(4) / 3])
      // 10,000 draws of 3/4: a deviation of 0.0058 in the mean of 1.
      #expect(abs(first.reduce(0, +) / 10_000 - 1) < 0.03)
    }
  }

  @Test func dropoutOfWholeImagesKeepsOrDropsAllOfASample() async throws {
    var graph = Graph(name: "dropout")
    let input = try graph.addInput(Input(shape: [3, 2, 5]), named: "input")
    graph.outputs = [
      try graph.apply(Dropout(rate: 0.5, dropsWholeImages: true), named: "dropout", to: [input])
    ]
    let network = graph
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: network, weights: Weights())
      let plan = try Plan(
        network, parameters: bank, options: PlanOptions(batchSize: 64, trainingLayers: ["dropout"], seed: 3))
      plan.inputs[0].values.update(repeating: 1)
      plan.forward(step: 1)
      let values = plan.outputs[0].values
      let samples = (0..<64).map { Set(values[($0 * 30)..<($0 * 30 + 30)]) }
      #expect(samples.allSatisfy { $0.count == 1 })
      #expect(Set(samples) == [[0], [2]])
    }
  }

  @Test func aParameterThatReachesNoOutputHasAGradientOfZero() async throws {
    var graph = try Self.smoothNetwork()
    graph.outputs = [try #require(graph.firstNode(of: "pool"))]
    let all = Set(Self.trainable(graph))
    let network = graph
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: network, weights: .generated(for: network))
      let plan = try Plan(network, parameters: bank, options: PlanOptions(batchSize: 1, trainable: all))
      plan.inputs[0].values.fill("input")
      plan.gradients.values.update(repeating: 3)
      plan.forward()
      plan.outputGradients[0].fill("gradient")
      plan.backward()
      let silent = try #require(plan.gradients[ParameterPath("head", "kernel")])
      #expect(silent.allSatisfy { $0 == 0 })
      let loud = try #require(plan.gradients[ParameterPath("stem", "kernel")])
      #expect(loud.contains { $0 != 0 })
    }
  }

  @Test func weightsThatDoNotFitAreNamed() async throws {
    let graph = try Self.smoothNetwork()
    var weights = Weights.generated(for: graph)
    weights[ParameterPath("stem", "kernel")] = Tensor(zeros: [3, 3])
    let broken = weights
    let error = await #expect(throws: EngineError.self) {
      try await EngineActor.run { () throws(any Error) in _ = try ParameterBank(graph: graph, weights: broken) }
    }
    #expect(error?.description == "stem/kernel: expected f32[3, 3, 3, 19], found f32[3, 3]")
  }
}
