import Graphs
import Tasks
import Tensors
import Testing

@Suite struct ClassificationHeadTests {
  private func trunk() throws -> Graph {
    var graph = Graph(name: "trunk")
    let image = try graph.addInput(Input(shape: [8, 8, 3]), named: "image")
    let conv = try graph.apply(Conv2D(filters: 4, kernelSize: Size2D(3)), named: "conv", to: [image])
    graph.outputs = [conv]
    try graph.setStages([("stem", "conv")])
    return graph
  }

  private func task(_ name: String, _ classCount: Int) -> TaskDescription {
    TaskDescription(name: name, kind: .classification(classes: (0..<classCount).map { "class \($0)" }))
  }

  @Test func oneTaskGetsPoolingDropoutAndDense() throws {
    var graph = try trunk()
    let heads = try graph.addHeads(for: [task(TaskDescription.defaultName, 5)], at: 1)
    #expect(graph.layerNames == ["image", "conv", "head_pool", "head_dropout", "head_dense"])
    #expect(heads == [Head(task: "class", layers: ["head_dropout", "head_dense"], outputLayer: "head_dense")])
    #expect(graph.outputs.map { graph.nodes[$0].outputShape } == [[5]])
    #expect(graph[layer: "head_dropout"] as? Dropout == Dropout(rate: 0.2))
    #expect(graph[layer: "head_dense"] as? Dense == Dense(units: 5, activation: .softmax))
  }

  @Test func severalTasksShareOnePooling() throws {
    var graph = try trunk()
    let heads = try graph.addHeads(for: [task("kind", 3), task("colour", 7)], at: 1)
    #expect(heads.map(\.outputLayer) == ["head_kind_dense", "head_colour_dense"])
    #expect(graph.outputs.map { graph.nodes[$0].outputShape } == [[3], [7]])
    #expect(graph.layerNames.count { graph[layer: $0] is GlobalAveragePooling2D } == 1)
  }

  @Test func aVectorIsNotPooled() throws {
    var graph = try trunk()
    let vector = try graph.apply(GlobalMaxPooling2D(), named: "pooled", to: [1])
    _ = try graph.addHeads(for: [task("class", 2)], at: vector)
    #expect(graph[layer: "head_pool"] == nil)
  }

  @Test func namesThatKerasCannotTakeBecomeOnesItCan() throws {
    var graph = try trunk()
    let heads = try graph.addHeads(for: [task("a/b", 2), task("a b", 2), task("größe", 2)], at: 1)
    #expect(heads.map(\.outputLayer) == ["head_a_b_dense", "head_a_b_2_dense", "head_gr__e_dense"])
  }

  @Test func logitsDifferFromTheModelInTheActivationAlone() throws {
    var graph = try trunk()
    let heads = try graph.addHeads(for: [task("kind", 3), task("colour", 7)], at: 1)
    let training = try graph.withLogits(of: heads.map(\.outputLayer))
    for head in heads {
      #expect((training[layer: head.outputLayer] as? Dense)?.activation == .linear)
      #expect((graph[layer: head.outputLayer] as? Dense)?.activation == .softmax)
    }
    #expect(training.nodes == graph.nodes)
    #expect(training.outputs == graph.outputs)
    #expect(training.stages == graph.stages)
    #expect(try training.withLogits(of: heads.map(\.outputLayer)) == training)
  }

  @Test func aSoftmaxLayerOfItsOwnIsTakenOffToo() throws {
    var graph = try trunk()
    graph.outputs = [try graph.apply(Activation(.softmax), named: "softmax", to: [1])]
    let training = try graph.withLogits(of: ["softmax"])
    #expect(training[layer: "softmax"] as? Activation == Activation(.linear))
  }

  @Test func whatIsNoClassifierIsRefusedByName() throws {
    let graph = try trunk()
    let unknown = #expect(throws: GraphError.self) { try graph.withLogits(of: ["head"]) }
    #expect(unknown?.code == .unknownName && unknown?.subject == "head")
    let image = #expect(throws: GraphError.self) { try graph.withLogits(of: ["image"]) }
    #expect(image?.code == .invalidOption && image?.subject == "image")
  }
}
