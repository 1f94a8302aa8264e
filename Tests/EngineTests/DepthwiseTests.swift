import Engine
import Graphs
import Tensors
import Testing

/// The one step for all gradients of a depthwise convolution, beside oneDNN's primitives and the functions around it.
@Suite struct DepthwiseTests {
  struct Window: Sendable, CustomTestStringConvertible {
    var size = Size2D(3)
    var stride = 1
    var dilation = 1
    var padding = Padding.same

    var testDescription: String {
      "\(size.height) by \(size.width), stride \(stride), dilation \(dilation), \(padding)"
    }
  }

  static let windows = [
    Window(), Window(stride: 2), Window(stride: 2, padding: .valid), Window(dilation: 2), Window(size: Size2D(5)),
    Window(size: Size2D(5), stride: 2), Window(size: Size2D(7), padding: .valid), Window(size: Size2D(3, 5)),
    Window(size: Size2D(1, 3)), Window(size: Size2D(2)), Window(stride: 3),
  ]

  @Test(arguments: windows, [ActivationFunction.relu(), .relu(maxValue: 0.6), .linear, .sigmoid])
  func gradientsAreThoseOfEachOperationAlone(window: Window, function: ActivationFunction) async throws {
    for hasWayAround in [false, true] {
      let isOneStep = function != .sigmoid && [3, 5, 7].contains(window.size.width)
      try await compare(Self.network(window, function, hasWayAround: hasWayAround), isOneStep: isOneStep)
    }
  }

  /// Compares all gradients with those of a plan that fuses nothing.
  private func compare(_ graph: Graph, isOneStep: Bool) async throws {
    let all = Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path))
    try await EngineActor.run { () throws(any Error) in
      let bank = try ParameterBank(graph: graph, weights: .generated(for: graph, gain: 1.5))
      var results: [(outputs: [Float], gradients: [Float])] = []
      for without: Set<PlanOptions.Pass> in [[], [.fuse]] {
        var options = PlanOptions(batchSize: 3, trainable: all, without: without)
        options.wantsInputGradients = true
        let plan = try Plan(graph, parameters: bank, options: options)
        plan.inputs[0].values.fill("input")
        plan.forward()
        plan.outputGradients[0].fill("gradient")
        plan.backward()
        results.append((Array(plan.outputs[0].values), Array(plan.gradients.values) + Array(plan.inputGradients[0])))
        #if arch(x86_64)
          let steps = plan.profile(repeats: 1).map(\.implementation)
          #expect(steps.contains("depthwise_backward") == (isOneStep && without.isEmpty))
        #endif
      }
      #expect(relativeDistance(results[0].outputs, results[1].outputs) < 1e-6)
      #expect(relativeDistance(results[0].gradients, results[1].gradients) < 2e-6)
    }
  }

  /// Convolution, function, depthwise convolution, function, convolution; perhaps with a way from the first function to
  /// the head.
  private static func network(
    _ window: Window, _ function: ActivationFunction, hasWayAround: Bool
  ) throws -> Graph {
    var graph = Graph(name: "depthwise")
    var node = try graph.addInput(Input(shape: [13, 11, 3]), named: "image")
    node = try graph.apply(Conv2D(filters: 19, kernelSize: Size2D(1)), named: "expand", to: [node])
    node = try graph.apply(Activation(function), named: "expand_function", to: [node])
    let around = node
    node = try graph.apply(
      DepthwiseConv2D(
        kernelSize: window.size, strides: Size2D(window.stride), padding: window.padding,
        dilation: Size2D(window.dilation)), named: "depthwise", to: [node])
    node = try graph.apply(BatchNormalization(), named: "depthwise_bn", to: [node])
    node = try graph.apply(Activation(function), named: "depthwise_function", to: [node])
    node = try graph.apply(Conv2D(filters: 5, kernelSize: Size2D(1)), named: "project", to: [node])
    node = try graph.apply(GlobalAveragePooling2D(), named: "pool", to: [node])
    if hasWayAround {
      let end = try graph.apply(GlobalAveragePooling2D(), named: "around", to: [around])
      node = try graph.apply(Concatenate(), named: "both", to: [node, end])
    }
    graph.outputs = [try graph.apply(Dense(units: 4), named: "head", to: [node])]
    return graph
  }
}
