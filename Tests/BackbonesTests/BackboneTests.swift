import Backbones
import Foundation
import Graphs
import KerasFormats
import Tensors
import Testing

@Suite struct BackboneTests {
  @Test func theEmbeddedBackboneIsReadAsItsFamilysTrunk() throws {
    let folder = Golden.repository.appendingPathComponent("pretrained").path
    let backbone = try Backbone(PretrainedFolders(searching: [folder]).resolve("efficientnet-lite0"))
    let family = BackboneFamily.efficientNetLite0
    let trunk = try family.graph()
    #expect(backbone.family?.name == family.name && backbone.preprocessing == .insideModel)
    #expect(backbone.graph.layerNames == trunk.layerNames)
    #expect(backbone.graph.nodes == trunk.nodes)
    #expect(backbone.graph.stages == trunk.stages)
    for name in trunk.layerNames where !(trunk[layer: name] is Input) {
      let (found, expected) = (try #require(backbone.graph[layer: name]), try #require(trunk[layer: name]))
      #expect(AnyHashable(found) == AnyHashable(expected), "\(name)")
    }
    #expect(throws: Never.self) { try backbone.weights.check(against: trunk) }
  }

  @Test func aFamilysFileGetsItsPreprocessingAndAnotherSize() throws {
    let family = BackboneFamily.mobileNetV2(alpha: 0.35)
    let whole = try family.graph(size: Size2D(96), classCount: 10)
    let weights = Weights.generated(for: whole)
    try withFile(of: whole, weights) { path in
      let backbone = try Backbone(.file(path), size: Size2D(128, 64))
      #expect(backbone.family?.name == "mobilenetv2-0.35" && backbone.preprocessing == .tf)
      #expect(backbone.graph[layer: "rescaling"] as? Rescaling == Rescaling(scale: [1 / 127.5], offset: [-1]))
      #expect(backbone.graph[layer: "predictions"] == nil)
      #expect(backbone.graph.nodes[backbone.graph.outputs[0]].outputShape == [4, 2, 1280])
      #expect(backbone.graph.stages.map(\.name) == family.stageEnds.map(\.name))
      #expect(backbone.weights.tensors.allSatisfy { weights[$0.key] == $0.value })
    }
  }

  @Test func anUnknownNetworkLosesItsClassifierAndNothingElse() throws {
    var graph = Graph(name: "own")
    let image = try graph.addInput(Input(shape: [32, 32, 3]), named: "image")
    let conv = try graph.apply(
      Conv2D(filters: 4, kernelSize: Size2D(3), strides: Size2D(2)), named: "conv", to: [image])
    let pooled = try graph.apply(GlobalAveragePooling2D(keepsAxes: true), named: "pool", to: [conv])
    let flat = try graph.apply(Flatten(), named: "flat", to: [pooled])
    graph.outputs = [try graph.apply(Dense(units: 3, activation: .softmax), named: "dense", to: [flat])]
    try withFile(of: graph, .generated(for: graph)) { path in
      let backbone = try Backbone(.file(path))
      #expect(backbone.graph.layerNames == ["image", "conv"])
      #expect(backbone.family == nil && backbone.preprocessing == nil)
      #expect(backbone.graph.stages == [Stage(name: "stem", layers: ["conv"])])
      #expect(Set(backbone.weights.tensors.keys.map(\.description)) == ["conv/kernel", "conv/bias"])
    }
  }

  @Test func aFileThatIsNoModelIsNamed() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("text-\(UUID().uuidString).h5").path
    try Data("no model".utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let error = #expect(throws: BackboneError.self) { try Backbone(.file(path)) }
    #expect(error?.code == .unfitFile && error?.subject == path)
    let missing = #expect(throws: BackboneError.self) { try Backbone(.file("/nowhere/model.h5")) }
    #expect(missing?.description == "/nowhere/model.h5: does not exist")
  }

  private func withFile(of graph: Graph, _ weights: Weights, _ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("model-\(UUID().uuidString).h5").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try KerasFiles.write(graph, weights: weights, to: path, format: .wholeModelH5)
    try body(path)
  }
}
