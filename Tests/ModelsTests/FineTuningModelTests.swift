import Graphs
import Models
import Tasks
import Tensors
import Testing

@Suite struct FineTuningModelTests {
  private let tasks = [
    TaskDescription(name: "colour", kind: .classification(classes: ["red", "green", "blue"])),
    TaskDescription(name: "side", kind: .classification(classes: ["left", "right"])),
  ]

  private func model(
    _ backbone: Graph, size: Size2D = Size2D(16), seed: UInt64 = 1
  ) throws -> Model {
    try Model.fineTuning(
      backbone, weights: .generated(for: backbone), tasks: tasks, imageSize: size, seed: seed)
  }

  @Test func theBackboneIsCutAtItsLastStageAndGetsAHeadForEachTask() throws {
    let backbone = try SmallBackbone.graph(stages: true)
    let model = try model(backbone)
    #expect(
      model.graph.layerNames == [
        "image", "rescaling", "conv1", "relu1", "conv2", "relu2", "head_pool", "head_colour_dropout",
        "head_colour_dense", "head_side_dropout", "head_side_dense",
      ])
    #expect(model.graph.outputs.map { model.graph.nodes[$0].outputShape } == [[3], [2]])
    #expect(model.graph.stages.map(\.name) == ["early", "late"])
    #expect(
      model.weights[ParameterPath("conv2", "kernel")]
        == Weights.generated(for: backbone)[ParameterPath("conv2", "kernel")])
    #expect(model.weights[ParameterPath("classifier", "kernel")] == nil)
    #expect(model.weights.tensors.count == model.graph.parameters.count)
    #expect(model.heads.map(\.outputLayer) == ["head_colour_dense", "head_side_dense"])
  }

  @Test func anUnknownNetworkIsCutBeforeItsPixelsAreFlattened() throws {
    let model = try model(try SmallBackbone.graph(stages: false, flattens: true))
    #expect(model.graph.layerNames.contains("relu2"))
    #expect(!model.graph.layerNames.contains("flatten"))
    #expect(model.graph.stages.map(\.name) == ["stem", "stage1"])
  }

  @Test func theTrunkEndsWhereEveryWayPasses() throws {
    var graph = Graph(name: "branches")
    let image = try graph.addInput(Input(shape: [8, 8, 3]), named: "image")
    let stem = try graph.apply(Conv2D(filters: 4, kernelSize: Size2D(1)), named: "stem", to: [image])
    let left = try graph.apply(Conv2D(filters: 4, kernelSize: Size2D(1)), named: "left", to: [stem])
    let right = try graph.apply(Conv2D(filters: 4, kernelSize: Size2D(1)), named: "right", to: [stem])
    let pools = try [left, right].enumerated().map { index, node in
      try graph.apply(GlobalAveragePooling2D(), named: "pool\(index)", to: [node])
    }
    graph.outputs = [try graph.apply(Add(), named: "sum", to: pools)]
    #expect(graph.trunkEnd == stem)
    var joined = graph
    let sum = try joined.apply(Add(), named: "joined", to: [left, right])
    joined.outputs = [sum]
    #expect(joined.trunkEnd == sum)
  }

  @Test func aNetworkWithoutImagesHasNoTrunk() throws {
    var graph = Graph(name: "vectors")
    let input = try graph.addInput(Input(shape: [12]), named: "input")
    graph.outputs = [try graph.apply(Dense(units: 2), named: "dense", to: [input])]
    let error = #expect(throws: ModelError.self) { try model(graph) }
    #expect(error?.description == "backbone vectors: expected one input of RGB pictures, found [12]")
  }

  @Test func aSizeThatTheTrunkCannotTakeIsNamed() throws {
    var graph = Graph(name: "strict")
    let image = try graph.addInput(Input(shape: [16, 16, 3]), named: "image")
    let conv = try graph.apply(Conv2D(filters: 4, kernelSize: Size2D(7)), named: "conv", to: [image])
    graph.outputs = [try graph.apply(GlobalAveragePooling2D(), named: "pool", to: [conv])]
    let error = #expect(throws: ModelError.self) { try model(graph, size: Size2D(4)) }
    #expect(error?.code == .unfitSize)
    #expect(error?.description.contains("4 x 4") == true)
  }

  @Test func freshHeadsTakeAllClassesForAlike() throws {
    let model = try model(SmallBackbone.graph(stages: true))
    for variable in ["kernel", "bias"] {
      let values = try #require(model.weights[ParameterPath("head_side_dense", variable)])
      #expect(values.floats.allSatisfy { $0 == 0 })
    }
  }

  @Test func tasksThatCannotBeLearntAreRefused() throws {
    let graph = try SmallBackbone.graph(stages: true)
    let error = #expect(throws: ModelError.self) {
      try Model.fineTuning(
        graph, weights: .generated(for: graph), tasks: [TaskDescription(kind: .classification(classes: ["only"]))],
        imageSize: Size2D(16), seed: 1)
    }
    #expect(error?.code == .unfitTasks)
  }
}
