import Backbones
import Graphs
import Tensors
import Testing

/// How a network's family is told.
@Suite struct FamilyMatchTests {
  @Test(arguments: ["xception", "inceptionv3", "mobilenetv3small", "resnet50v2", "efficientnetb0", "densenet121"])
  func aNetworkWithOtherNamesIsToldByItsShapes(name: String) throws {
    let family = try #require(BackboneFamily.named(name))
    let graph = try family.graph(size: Size2D(96), classCount: 5).renamed { "\($0)_77" }
    let match = try #require(BackboneFamily.match(in: graph))
    #expect(match.family.name == name)
    #expect(match.evidence.hasSuffix("under other names"))
    #expect(match.stageEnds.map(\.lastLayer) == family.stageEnds.map { "\($0.lastLayer)_77" })
  }

  @Test(arguments: [("resnet101", 44), ("resnet152", 44), ("densenet201", 44), ("vgg19", 44)])
  func aDeeperMemberIsNotTakenForAShallowerOne(name: String, size: Int) throws {
    let family = try #require(BackboneFamily.named(name))
    let match = try #require(BackboneFamily.match(in: try family.graph(size: Size2D(size), classCount: 2)))
    #expect(match.family.name == name)
    #expect(match.evidence.contains("names and shapes"))
  }

  @Test(arguments: ["mobilenet-0.6", "mobilenet-1.5", "mobilenetv2-0.42", "mobilenetv2-2.0"])
  func anUnusualWidthIsFoundOut(name: String) throws {
    let graph = try #require(BackboneFamily.named(name)).graph(size: Size2D(64), classCount: 3)
    let found = try #require(BackboneFamily.recognized(in: graph))
    #expect(
      try found.graph(size: Size2D(64)).parameters.map(\.parameter)
        == graph.parameters.map(\.parameter).dropLast(graph.parameters.count - found.graph().parameters.count))
  }

  @Test(arguments: BackboneFamily.all.map(\.name))
  func aGreyNetworkIsRecognizedToo(name: String) throws {
    let family = try #require(BackboneFamily.named(name))
    #expect(BackboneFamily.recognized(in: try family.graph(size: Size2D(96), channels: 1))?.name == name)
  }

  @Test func aChangedShapeIsNoFamily() throws {
    var graph = Graph(name: "own")
    var node = try graph.addInput(Input(shape: [64, 64, 3]), named: "input_layer")
    for block in 1...5 {
      let conv = Conv2D(filters: 8, kernelSize: Size2D(3), padding: .same)
      node = try graph.apply(conv, named: "block\(block)_conv1", to: [node])
      node = try graph.apply(MaxPooling2D(), named: "block\(block)_pool", to: [node])
    }
    graph.outputs = [node]
    #expect(BackboneFamily.match(in: graph) == nil)
  }

  @Test func widthsAreReadFromNames() {
    #expect(BackboneFamily.named("MobileNet_0.6")?.name == "mobilenet-0.6")
    #expect(BackboneFamily.named("mobilenetv3large-0.5")?.title == "MobileNetV3Large 0.5")
    for name in ["mobilenet-0", "mobilenet-99", "resnet-0.5", "mobilenet-x"] {
      #expect(BackboneFamily.named(name) == nil, "\(name)")
    }
  }

  @Test func channelsOtherThanOneAndThreeAreRefused() {
    let error = #expect(throws: BackboneError.self) { try BackboneFamily.resNet50.graph(channels: 4) }
    #expect(error?.description == "resnet50: expected 1 or 3 channels, found 4")
  }
}

extension Graph {
  /// The same network with every layer called otherwise.
  fileprivate func renamed(_ name: (String) -> String) throws -> Graph {
    var result = Graph(name: self.name)
    for (index, node) in nodes.enumerated() {
      if let input = layer(of: index) as? Input {
        try result.addInput(input, named: name(node.layer))
      } else {
        try result.apply(layer(of: index), named: name(node.layer), to: node.inputs)
      }
    }
    result.outputs = outputs
    return result
  }
}
