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
    "sgd", "sgd, momentum 0.9", "sgd, nesterov 0.9", "sgd, clip by value 0.5", "sgd, clip the global norm to 0.5",
    "adam",
    "adam, betas 0.8 and 0.99, epsilon 1e-3", "adamw, weight decay 0.01",
  ])
  func tenStepsAreThoseOfKeras(_ name: String) throws {
    let golden = try #require(try OptimizerGoldens.read().cases.first { $0.name == name })
    let (plan, graph, bank) = try plan()
    let optimizer = Optimizer(graph: graph, parameters: bank)
    optimizer.train(plan.gradients, by: golden.description, clipping: golden.settings.clipping)
    for (index, count) in [5, 3].enumerated() {
      _ = bank.values(at: ParameterPath("dense\(index)", "kernel"))
        .update(fromContentsOf: signal("parameter/\(index)", count: count))
    }
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
          #expect(abs(Double(found) - value) <= 2e-6 * max(1, abs(value)), "step \(step)")
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
      var beta1: Double?
      var beta2: Double?
      var epsilon: Double?
      var weightDecay: Double?
      var clipvalue: Double?
      var globalClipnorm: Double?

      var clipping: GradientClipping? { clipvalue.map { .value($0) } ?? globalClipnorm.map { .globalNorm($0) } }
    }

    var name: String
    var optimizer: String
    var settings: Settings
    var steps: [[[Double]]]

    var description: OptimizerDescription {
      let moments = OptimizerDescription.Moments(
        beta1: settings.beta1 ?? 0.9, beta2: settings.beta2 ?? 0.999, epsilon: settings.epsilon ?? 1e-7)
      return switch optimizer {
      case "Adam": .adam(moments)
      case "AdamW": .adamW(moments, weightDecay: settings.weightDecay ?? 0)
      default: .sgd(momentum: settings.momentum ?? 0, nesterov: settings.nesterov ?? false)
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
