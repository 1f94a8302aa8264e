import Backbones
import Graphs
import Tensors
import Testing

/// Where a network of an unknown family ends as a trunk.
@Suite struct CutTests {
  /// A convolution, a gate over its channels, another convolution, a pooling that keeps its axes, and two dense layers.
  private func network() throws -> Graph {
    var graph = Graph(name: "own")
    let image = try graph.addInput(Input(shape: [32, 32, 3]), named: "image")
    let first = Conv2D(filters: 8, kernelSize: Size2D(3), strides: Size2D(2), padding: .same)
    let conv1 = try graph.apply(first, named: "conv1", to: [image])
    let squeezed = try graph.apply(GlobalAveragePooling2D(keepsAxes: true), named: "squeeze", to: [conv1])
    let gate = try graph.apply(
      Conv2D(filters: 8, kernelSize: Size2D(1), activation: .sigmoid), named: "gate", to: [squeezed])
    let gated = try graph.apply(Multiply(), named: "gated", to: [conv1, gate])
    let conv2 = try graph.apply(
      Conv2D(filters: 4, kernelSize: Size2D(3), strides: Size2D(2)), named: "conv2", to: [gated])
    let pooled = try graph.apply(GlobalAveragePooling2D(keepsAxes: true), named: "pool", to: [conv2])
    let flat = try graph.apply(Flatten(), named: "flat", to: [pooled])
    let dense = try graph.apply(Dense(units: 6, activation: .relu()), named: "dense", to: [flat])
    graph.outputs = [try graph.apply(Dense(units: 3, activation: .softmax), named: "answer", to: [dense])]
    return graph
  }

  @Test func aTrunkEndsBeforeItsLastPoolingAndNotAtAGate() throws {
    let trunk = try network().trunk(stageEnds: [], cutAt: nil)
    #expect(trunk.layerNames.last == "conv2")
    #expect(trunk.stages.map(\.name) == ["stem", "stage1"])
    #expect(trunk.stages.map(\.layers) == [["conv1", "squeeze", "gate", "gated"], ["conv2"]])
  }

  @Test func aTrunkEndsWhereItIsAskedTo() throws {
    let trunk = try network().trunk(stageEnds: [], cutAt: "gated")
    #expect(trunk.layerNames == ["image", "conv1", "squeeze", "gate", "gated"])
    #expect(trunk.stages.map(\.name) == ["stem"])
    let family = try BackboneFamily.resNet50.graph(size: Size2D(64), classCount: 10)
    let ends = BackboneFamily.resNet50.stageEnds
    let early = try family.trunk(stageEnds: ends, cutAt: "conv3_block2_out")
    #expect(early.stages.map(\.name) == ["stem", "stage1", "stage2"])
    #expect(early.stages.last?.layers.last == "conv3_block2_out")
  }

  @Test func whatCannotBeCutIsSaidWithTheNearestNames() throws {
    let unknown = #expect(throws: GraphError.self) { try network().trunk(stageEnds: [], cutAt: "conv3") }
    #expect(unknown?.description == "layer conv3: does not exist; the nearest are conv1, conv2, pool")
    let flat = #expect(throws: GraphError.self) { try network().trunk(stageEnds: [], cutAt: "dense") }
    #expect(
      flat?.description == "layer dense: expected a layer that puts out an image [H, W, C], found an output of [6]; "
        + "the last that does is conv2")
  }

  @Test func aNetworkOfImagesIsATrunkAsAWhole() throws {
    var graph = try network()
    graph.outputs = [try #require(graph.firstNode(of: "conv2"))]
    #expect(graph.cut(at: graph.outputs).trunkEnd == nil)
    #expect(try graph.cut(at: graph.outputs).trunk(stageEnds: [], cutAt: nil).layerNames.last == "conv2")
  }

  @Test func theNormalizationBehindConvNeXtBelongsToItsTrunk() throws {
    let family = try #require(BackboneFamily.named("convnexttiny"))
    let trunk = try family.graph(size: Size2D(32)).trunk(stageEnds: family.stageEnds, cutAt: nil)
    #expect(trunk.stages.last?.layers.last == "layer_normalization")
    let whole = try family.graph(size: Size2D(32), classCount: 4).trunk(stageEnds: family.stageEnds, cutAt: nil)
    #expect(whole.stages.last?.layers.last == "add_17" && whole.layerNames.last == "add_17")
  }
}
