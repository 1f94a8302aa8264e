import Graphs
import Tensors
import Testing

@Suite struct GraphTests {
  /// conv → relu → conv, an addition around the second, pooling and a classifier.
  private func residualNetwork() throws -> Graph {
    var graph = Graph(name: "residual")
    let image = try graph.addInput(Input(shape: [32, 32, 3], freeAxes: [0, 1]), named: "image")
    let first = try graph.apply(
      Conv2D(filters: 8, kernelSize: Size2D(3), strides: Size2D(2), padding: .same), named: "first", to: [image])
    let active = try graph.apply(Activation(.relu()), named: "active", to: [first])
    let second = try graph.apply(
      Conv2D(filters: 8, kernelSize: Size2D(3), padding: .same), named: "second", to: [active])
    let sum = try graph.apply(Add(), named: "sum", to: [active, second])
    let smaller = try graph.apply(
      Conv2D(filters: 4, kernelSize: Size2D(1), strides: Size2D(2)), named: "smaller", to: [sum])
    let pooled = try graph.apply(GlobalAveragePooling2D(), named: "pooled", to: [smaller])
    graph.outputs = [try graph.apply(Dense(units: 5), named: "head", to: [pooled])]
    return graph
  }

  @Test func shapesAreKnownForEveryNode() throws {
    let graph = try residualNetwork()
    #expect(
      graph.nodes.map(\.outputShape) == [
        [32, 32, 3], [16, 16, 8], [16, 16, 8], [16, 16, 8], [16, 16, 8], [8, 8, 4], [4], [5],
      ])
    #expect(graph.parameterCount == 3 * 3 * 3 * 8 + 8 + 3 * 3 * 8 * 8 + 8 + 8 * 4 + 4 + 4 * 5 + 5)
  }

  @Test func aCutKeepsOnlyWhatItsOutputNeeds() throws {
    let graph = try residualNetwork()
    let node = try #require(graph.firstNode(of: "active"))
    let trunk = graph.cut(at: [node])
    #expect(trunk.layerNames == ["image", "first", "active"])
    #expect(trunk.outputs == [2])
  }

  @Test func resizingKeepsParametersAndChangesShapes() throws {
    let graph = try residualNetwork()
    let larger = try graph.resized(to: [64, 48, 3])
    #expect(larger.nodes[4].outputShape == [32, 24, 8])
    #expect(larger.parameters.map(\.parameter) == graph.parameters.map(\.parameter))
  }

  @Test func aSecondLayerOfTheSameNameIsRefused() throws {
    var graph = try residualNetwork()
    #expect(throws: GraphError(.duplicateName, subject: "sum", detail: "two layers have this name")) {
      try graph.apply(Add(), named: "sum", to: [1, 2])
    }
  }

  @Test func aLayerThatDoesNotFitIsNamedWithItsInput() throws {
    var graph = try residualNetwork()
    let error = #expect(throws: GraphError.self) { try graph.apply(Add(), named: "bad", to: [0, 1]) }
    #expect(error?.description == "bad: cannot combine [32, 32, 3] and [16, 16, 8]")
  }

  @Test func sharedLayersNeedInputsOfOneKind() throws {
    var graph = try residualNetwork()
    #expect(throws: Never.self) { try graph.applyAgain("second", to: [4]) }
    #expect(throws: GraphError.self) { try graph.applyAgain("second", to: [0]) }
  }

  @Test func stagesFollowTheResolution() throws {
    let stages = try residualNetwork().stagesByResolution()
    #expect(stages.map(\.name) == ["stem", "stage1"])
    #expect(stages.last?.layers == ["smaller"])
    var graph = try residualNetwork()
    let smaller = try #require(graph.nodes.firstIndex { $0.layer == "smaller" })
    try graph.apply(MaxPooling2D(), named: "pool", to: [smaller])
    #expect(graph.stagesByResolution().last?.layers == ["smaller", "pool"])
  }

  @Test func shapesThatNobodyCanHoldAreRefused() throws {
    var graph = Graph(name: "huge")
    let image = try graph.addInput(Input(shape: [4, 4, 3]), named: "image")
    #expect(throws: GraphError.self) {
      try graph.apply(Conv2D(filters: .max, kernelSize: Size2D(3), padding: .same), named: "conv", to: [image])
    }
  }
}

@Suite struct WindowTests {
  @Test(arguments: [
    // input, size, stride, dilation → rows, top, bottom; numbers of TensorFlow's definition of `same`
    (224, 3, 2, 1, 112, 0, 1), (7, 3, 2, 1, 4, 1, 1), (5, 2, 1, 1, 5, 0, 1), (10, 3, 1, 2, 10, 2, 2),
    (4, 1, 3, 1, 2, 0, 0),
  ])
  func samePaddingPutsTheOddRowAtTheEnd(
    input: Int, size: Int, stride: Int, dilation: Int, rows: Int, top: Int, bottom: Int
  ) {
    let conv = Conv2D(
      filters: 1, kernelSize: Size2D(size), strides: Size2D(stride), padding: .same, dilation: Size2D(dilation))
    let insets = conv.window.insets(for: Size2D(input))
    #expect(conv.window.outputSize(for: Size2D(input)) == Size2D(rows))
    #expect(insets == Insets2D(top: top, bottom: bottom, left: top, right: bottom))
  }
}
