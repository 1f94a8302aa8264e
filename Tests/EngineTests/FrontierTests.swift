import Engine
import Graphs
import Testing

/// Where a network is cut before what trains.
@Suite struct FrontierTests {
  /// What only makes an array larger is computed behind the frontier, so that the smaller one is what is kept.
  @Test(arguments: [(factor: 4, kept: 12), (3, 36)])
  func theFrontierIsWhereLittleCrosses(factor: Int, kept: Int) throws {
    let graph = try Self.network(factor: factor)
    let trainable = Set(graph.parameters.map(\.path).filter { ["depthwise", "head"].contains($0.layer) })
    let prefix = try #require(Frontier(graph, trainable: trainable).prefix)
    #expect(prefix.outputs.map { prefix.nodes[$0].outputShape.dimensions } == [[8, 8, kept]])
  }

  /// What others read, and what is asked for, crosses as it is.
  @Test func whatIsReadTwiceCrosses() throws {
    var graph = try Self.network(factor: 4)
    let inflated = try #require(graph.nodes.firstIndex { $0.layer == "expand_function" })
    graph.outputs.append(inflated)
    let prefix = try #require(Frontier(graph, trainable: [ParameterPath("depthwise", "kernel")]).prefix)
    #expect(prefix.outputs.map { prefix.nodes[$0].outputShape.dimensions } == [[8, 8, 48]])
  }

  /// A stem, an expansion of so many times the channels, zeros around them, and a depthwise convolution.
  private static func network(factor: Int) throws -> Graph {
    var graph = Graph(name: "inflating")
    var node = try graph.addInput(Input(shape: [8, 8, 3]), named: "image")
    node = try graph.apply(Conv2D(filters: 12, kernelSize: Size2D(3), padding: .same), named: "stem", to: [node])
    node = try graph.apply(Conv2D(filters: 12 * factor, kernelSize: Size2D(1)), named: "expand", to: [node])
    node = try graph.apply(BatchNormalization(), named: "expand_bn", to: [node])
    node = try graph.apply(Activation(.relu()), named: "expand_function", to: [node])
    node = try graph.apply(ZeroPadding2D(padding: Insets2D(1)), named: "border", to: [node])
    node = try graph.apply(DepthwiseConv2D(kernelSize: Size2D(3)), named: "depthwise", to: [node])
    node = try graph.apply(GlobalAveragePooling2D(), named: "pool", to: [node])
    graph.outputs = [try graph.apply(Dense(units: 2), named: "head", to: [node])]
    return graph
  }
}
