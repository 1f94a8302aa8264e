import Engine
import Graphs
import KerasFormats
import Tensors
import Testing

/// Every kind of layer's gradient against differences of its own outputs, away from kinks.
///
/// With L = Σ g·y for a fixed g, the gradient of one number x is compared with (L(x + h) − L(x − h)) / 2h. Where the slope
/// changes much on the way there is a kink, as in a ReLU at zero or where two numbers are the largest of a window: there the
/// gradient has to be within what it changes, and a third of the numbers of every layer have to be away from kinks.
@Suite struct FiniteDifferenceTests {
  /// Everything that a layer computes gradients of: its inputs and its parameters.
  private struct Number {
    let name: String
    let values: UnsafeMutableBufferPointer<Float>
    let index: Int
    let gradient: Float
  }

  @Test(arguments: LayerGoldenTests.cases)
  func gradientsAreSlopes(golden: LayerGoldenTests.Case) async throws {
    try await EngineActor.run { () throws(any Error) in
      let graph = try KerasJSON.graph(from: golden.config.text)
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph))
      var options = PlanOptions(
        batchSize: 2, trainable: Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path)),
        trainingLayers: golden.training ? Set(graph.layerNames) : [],
        batchNormalization: golden.training ? .trainingStatistics : .frozenStatistics)
      options.wantsInputGradients = true
      if golden.name.hasSuffix("not trainable") { options.trainingLayers = [] }
      let plan = try Plan(graph, parameters: bank, options: options)
      for (port, input) in zip(plan.inputs, golden.inputs) { port.values.fill(input.path) }
      let weights = plan.outputs.indices.map { place in
        Tensor(generatedFor: "gradient/\(place)", shape: [plan.outputs[place].values.count], factor: 2, summand: -1)
          .floats
      }
      plan.forward()
      for (gradient, values) in zip(plan.outputGradients, weights) { _ = gradient.update(fromContentsOf: values) }
      plan.backward()
      let numbers = Self.numbers(of: plan, bank)
      let base = Self.sum(plan, weights)
      var straightCount = 0
      for number in numbers {
        let start = number.values[number.index]
        let h: Float = 1.0 / 128
        @EngineActor func sum(at value: Float) -> Double {
          number.values[number.index] = value
          bank.changed(graph.parameters.map(\.path))
          plan.forward()
          return Self.sum(plan, weights)
        }
        // A kink inside of h changes the slope from one half of the way to the other; a curve changes it a little.
        let places = [-h, -h / 2, h / 2, h].map { sum(at: start + $0) }
        number.values[number.index] = start
        let slopes = [places[1] - places[0], base - places[1], places[2] - base, places[3] - places[2]].map {
          $0 / Double(h / 2)
        }
        let slope = (places[3] - places[0]) / Double(2 * h)
        // Rounding of single precision in L, divided by h.
        let noise = 5e-4 * max(1, abs(base)) + 1e-3
        let spread = (slopes.max() ?? 0) - (slopes.min() ?? 0)
        if spread < 0.04 * abs(slope) + 2 * noise { straightCount += 1 }
        // The gradient is one of the slopes on the way, so that it is no further from their mean than they are apart.
        #expect(
          abs(Double(number.gradient) - slope) < 0.01 * abs(slope) + noise + spread,
          "\(golden.name): \(number.name)[\(number.index)] is \(number.gradient), the slope is \(slope)")
      }
      #expect(
        straightCount * 3 >= numbers.count, "\(golden.name): \(straightCount) of \(numbers.count) away from kinks")
    }
  }

  /// Some numbers of every input and every parameter, spread over each.
  @EngineActor private static func numbers(of plan: Plan, _ bank: ParameterBank) -> [Number] {
    let inputs = zip(plan.inputs, plan.inputGradients).map { (name: $0.name, values: $0.values, gradient: $1) }
    let parameters = plan.gradients.ranges.map { path, range in
      let gradient = UnsafeMutableBufferPointer(rebasing: plan.gradients.values[range])
      return (name: "\(path)", values: bank.values(at: path), gradient: gradient)
    }
    return (inputs + parameters).flatMap { array in
      Set((0..<6).map { $0 * (array.values.count - 1) / 5 }).sorted().map { index in
        Number(name: array.name, values: array.values, index: index, gradient: array.gradient[index])
      }
    }
  }

  @EngineActor private static func sum(_ plan: Plan, _ weights: [[Float]]) -> Double {
    var sum = 0.0
    for (port, values) in zip(plan.outputs, weights) {
      for (y, g) in zip(port.values, values) { sum += Double(y) * Double(g) }
    }
    return sum
  }
}
