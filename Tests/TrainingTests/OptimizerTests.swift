import Engine
import Foundation
import Freezing
import Graphs
import Tensors
import Testing
import Training

/// Ten steps of every rule against stock Keras in f64; `scripts/make-goldens` says how the numbers are made.
@EngineActor
@Suite struct OptimizerTests {
  /// Two parameters of 5 and 3 numbers, kernels so that weight decay reaches them.
  private func plan() throws -> (plan: Plan, graph: Graph, bank: ParameterBank) {
    var graph = Graph(name: "parameters")
    for (index, count) in [5, 3].enumerated() {
      let input = try graph.addInput(Input(shape: [count]), named: "input\(index)")
      graph.outputs.append(
        try graph.apply(Dense(units: 1, usesBias: false), named: "dense\(index)", to: [input]))
    }
    let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
    let plan = try Plan(
      graph, parameters: bank,
      options: PlanOptions(
        batchSize: 1, trainable: [ParameterPath("dense0", "kernel"), ParameterPath("dense1", "kernel")]))
    return (plan, graph, bank)
  }

  private func signal(_ name: String, count: Int) -> [Float] {
    Tensor(generatedFor: name, shape: [count], factor: 2, summand: -1).floats
  }

  @Test(arguments: [
    "sgd", "sgd, momentum 0.9", "sgd, nesterov 0.9", "sgd, momentum 0.9, weight decay 0.01", "sgd, clip by value 0.5",
    "sgd, clip each norm to 0.5", "sgd, clip the global norm to 0.5", "sgd, momentum 0.9, pull 0.1", "adam",
    "adam, betas 0.8 and 0.99, epsilon 1e-3", "adam, pull 0.1", "adamw, weight decay 0.01", "rmsprop",
    "rmsprop, momentum 0.9, rho 0.95, epsilon 1e-3", "rmsprop, weight decay 0.01", "lion",
    "lion, betas 0.95 and 0.98, weight decay 0.1", "lamb", "lamb, betas 0.8 and 0.99, epsilon 1e-3, weight decay 0.01",
  ])
  func tenStepsAreThoseOfKeras(_ name: String) throws {
    let golden = try #require(try OptimizerGoldens.read().cases.first { $0.name == name })
    let (plan, graph, bank) = try plan()
    let optimizer = Optimizer(graph: graph, parameters: bank)
    for (index, count) in [5, 3].enumerated() {
      _ = bank.values(at: ParameterPath("dense\(index)", "kernel"))
        .update(fromContentsOf: signal("parameter/\(index)", count: count))
    }
    optimizer.pull(towards: bank.snapshot(), strength: golden.settings.pull ?? 0)
    optimizer.train(plan.gradients, by: golden.description, clipping: golden.settings.clipping)
    #expect(golden.steps.count == 10)
    for (step, expected) in golden.steps.enumerated() {
      for (index, count) in [5, 3].enumerated() {
        let gradient = try #require(plan.gradients[ParameterPath("dense\(index)", "kernel")])
        _ = gradient.update(fromContentsOf: signal("gradient/\(step)/\(index)", count: count))
      }
      optimizer.step(learningRate: golden.settings.learningRate)
      for (index, values) in expected.enumerated() {
        for (found, value) in zip(bank.values(at: ParameterPath("dense\(index)", "kernel")), values) {
          // f32 against f64: ten roundings of numbers around 1.
          #expect(abs(Double(found) - value) <= 1e-6 * max(1, abs(value)), "step \(step)")
        }
      }
    }
  }

  @Test func whatAParameterHasLearntSurvivesTimesOfRest() throws {
    let (plan, graph, bank) = try plan()
    let first = ParameterPath("dense0", "kernel")
    let second = ParameterPath("dense1", "kernel")
    let alone = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: 1, trainable: [first]))
    let optimizer = Optimizer(graph: graph, parameters: bank)
    plan.gradients.values.update(repeating: 1)
    alone.gradients.values.update(repeating: 1)
    optimizer.train(plan.gradients, by: .adam())
    optimizer.step(learningRate: 0.1)
    let kept = optimizer.moments
    optimizer.train(alone.gradients, by: .adam())
    optimizer.step(learningRate: 0.1)
    optimizer.train(plan.gradients, by: .adam())
    #expect(optimizer.moments[second] == kept[second])
    #expect(optimizer.moments[first]?.stepCount == 2)
    #expect(optimizer.moments[second]?.stepCount == 1)
    optimizer.step(learningRate: 0.1)
    #expect(optimizer.moments[second]?.stepCount == 2)
  }

  @Test func aPhaseMayBeginAsIfNothingHadTrained() throws {
    let (plan, graph, bank) = try plan()
    let optimizer = Optimizer(graph: graph, parameters: bank)
    plan.gradients.values.update(repeating: 1)
    optimizer.train(plan.gradients, by: .adam())
    optimizer.step(learningRate: 0.1)
    let first = optimizer.moments
    optimizer.step(learningRate: 0.1)
    optimizer.train(plan.gradients, by: .adam(), forgetting: true)
    #expect(optimizer.moments.values.allSatisfy { $0.stepCount == 0 })
    plan.gradients.values.update(repeating: 1)
    optimizer.step(learningRate: 0.1)
    #expect(optimizer.moments == first)
  }

  /// Every rule keeps its own, so that one that comes back after another finds what it had left.
  @Test(arguments: [
    OptimizerDescription.sgd(), .adamW(), .rmsprop(.init(momentum: 0.9)), .lion(), .lamb(),
  ])
  func whatARuleKeepsSurvivesACheckpoint(rule: OptimizerDescription) throws {
    let (plan, graph, bank) = try plan()
    func fill(_ step: Int) {
      for (index, path) in plan.gradients.ranges.map(\.path).enumerated() {
        guard let gradient = plan.gradients[path] else { continue }
        _ = gradient.update(fromContentsOf: signal("gradient/\(step)/\(index)", count: gradient.count))
      }
    }
    let optimizer = Optimizer(graph: graph, parameters: bank)
    for (step, rule) in [rule, .sgd(), rule].enumerated() {
      optimizer.train(plan.gradients, by: rule)
      fill(step)
      optimizer.step(learningRate: 0.01)
    }
    let (weights, moments) = (bank.snapshot(), optimizer.moments)
    let copy = try ParameterBank(graph: graph, weights: weights)
    let resumed = Optimizer(graph: graph, parameters: copy)
    resumed.restore(moments)
    #expect(resumed.moments == moments)
    let same = try Plan(
      graph, parameters: copy, options: PlanOptions(batchSize: 1, trainable: Set(plan.gradients.ranges.map(\.path))))
    optimizer.train(plan.gradients, by: rule)
    resumed.train(same.gradients, by: rule)
    for step in 3..<6 {
      fill(step)
      _ = same.gradients.values.update(fromContentsOf: plan.gradients.values)
      optimizer.step(learningRate: 0.01)
      resumed.step(learningRate: 0.01)
    }
    #expect(copy.snapshot() == bank.snapshot())
    #expect(resumed.moments == optimizer.moments)
  }

  @Test(arguments: [
    OptimizerDescription.sgd(), .adamW(weightDecay: 0.1), .rmsprop(.init(momentum: 0.9)), .lion(), .lamb(),
  ])
  func aMultiplierIsARateOfItsOwn(rule: OptimizerDescription) throws {
    let (plan, graph, bank) = try plan()
    let (slow, path) = (ParameterPath("dense0", "kernel"), ParameterPath("dense1", "kernel"))
    let start = bank.snapshot()
    func run(_ rate: Double, _ multipliers: [ParameterPath: Double]) -> Weights {
      bank.load(start)
      let optimizer = Optimizer(graph: graph, parameters: bank)
      optimizer.train(plan.gradients, by: rule, multipliers: multipliers)
      for step in 0..<3 {
        plan.gradients.values.update(repeating: Float(step) - 0.5)
        optimizer.step(learningRate: rate)
      }
      return bank.snapshot()
    }
    let mixed = run(0.01, [slow: 0.25])
    #expect(mixed[slow] == run(0.0025, [:])[slow])
    #expect(mixed[path] == run(0.01, [:])[path])
    #expect(mixed[slow] != mixed[path])
  }

  /// Longer than a part of a sum and than a list of parts: 256 parts of 65,536 numbers.
  @Test func lambsNormsAreThoseOfTheWholeParameter() throws {
    let count = 256 * 65_536 + 70_001
    var buffers: [UnsafeMutableBufferPointer<Float>] = []
    for value: Float in [2, 0.5, 0, 0] {
      let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
      buffer.initialize(repeating: value)
      buffers.append(buffer)
    }
    defer { for buffer in buffers { buffer.deallocate() } }
    ParameterArithmetic.stepLAMB(
      buffers[0], gradient: buffers[1], firstMoment: buffers[2], secondMoment: buffers[3], rate: 0.25, beta1: 0.5,
      beta2: 0.75, epsilon: 0, corrections: (first: 2, second: 4))
    // The first update is the gradient's sign, so that each weight moves by rate·2.
    #expect(buffers[0].allSatisfy { $0 == 1.5 })
  }

  @Test func biasesAndNormalisationDoNotDecay() throws {
    var graph = Graph(name: "roles")
    let input = try graph.addInput(Input(shape: [4]), named: "input")
    let dense = try graph.apply(Dense(units: 4), named: "dense", to: [input])
    graph.outputs = [try graph.apply(BatchNormalization(), named: "bn", to: [dense])]
    let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
    let trainable = Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path))
    let plan = try Plan(graph, parameters: bank, options: PlanOptions(batchSize: 1, trainable: trainable))
    let optimizer = Optimizer(graph: graph, parameters: bank)
    plan.gradients.values.update(repeating: 0)
    optimizer.train(plan.gradients, by: .adamW(weightDecay: 0.1))
    let before = bank.snapshot()
    optimizer.step(learningRate: 0.5)
    let after = bank.snapshot()
    for path in trainable {
      if path.variable == "kernel" {
        let expected = before[path]?.floats.map { $0 - $0 * Float(0.05) }
        #expect(after[path]?.floats == expected)
      } else {
        #expect(after[path] == before[path])
      }
    }
  }
}

/// `Tests/Goldens/optimizers.json`.
private struct OptimizerGoldens: Decodable {
  struct Case: Decodable {
    struct Settings: Decodable {
      var learningRate: Double
      var momentum: Double?
      var nesterov: Bool?
      var pull: Double?
      var rho: Double?
      var beta1: Double?
      var beta2: Double?
      var epsilon: Double?
      var weightDecay: Double?
      var clipvalue: Double?
      var clipnorm: Double?
      var globalClipnorm: Double?

      var clipping: GradientClipping? {
        clipvalue.map { .value($0) } ?? clipnorm.map { .norm($0) } ?? globalClipnorm.map { .globalNorm($0) }
      }
    }

    var name: String
    var optimizer: String
    var settings: Settings
    var steps: [[[Double]]]

    var description: OptimizerDescription {
      let moments = OptimizerDescription.Moments(
        beta1: settings.beta1 ?? 0.9, beta2: settings.beta2 ?? 0.999, epsilon: settings.epsilon ?? 1e-7)
      let weightDecay = settings.weightDecay ?? 0
      return switch optimizer {
      case "Adam": .adam(moments)
      case "AdamW": .adamW(moments, weightDecay: weightDecay)
      case "RMSprop":
        .rmsprop(
          .init(rho: settings.rho ?? 0.9, momentum: settings.momentum ?? 0, epsilon: settings.epsilon ?? 1e-7),
          weightDecay: weightDecay)
      case "Lion": .lion(beta1: settings.beta1 ?? 0.9, beta2: settings.beta2 ?? 0.99, weightDecay: weightDecay)
      case "Lamb": .lamb(moments, weightDecay: weightDecay)
      default: .sgd(momentum: settings.momentum ?? 0, nesterov: settings.nesterov ?? false, weightDecay: weightDecay)
      }
    }
  }

  var cases: [Case]

  static func read() throws -> OptimizerGoldens {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Goldens/optimizers.json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(OptimizerGoldens.self, from: Data(contentsOf: file))
  }
}
