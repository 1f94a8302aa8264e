import Backbones
import Graphs
import Tensors
import Testing

@Suite struct BackboneFamilyTests {
  @Test(arguments: ["vgg16", "resnet50", "inceptionv3", "mobilenetv2"])
  func layersAreThoseOfKerasInItsOrder(name: String) throws {
    let family = try #require(BackboneFamily.named(name))
    let golden = try Golden.load(name)
    #expect(golden.cases.contains(where: \.includeTop) && golden.cases.contains { !$0.includeTop })
    for expected in golden.cases {
      let graph = try family.graph(size: expected.size, classCount: expected.includeTop ? 1000 : nil)
      #expect(graph.layerNames == expected.layers.map(\.name))
      for layer in expected.layers {
        let node = try #require(graph.firstNode(of: layer.name))
        #expect(graph.nodes[node].outputShape == Shape(layer.outputShape.dropFirst().compactMap { $0 }), "\(layer)")
        let count = graph.parameters(of: layer.name).reduce(0) { $0 + $1.shape.elementCount }
        #expect(count == layer.parameters, "\(layer.name)")
      }
      #expect(graph.parameters.map(\.path.description) == expected.weights.map(\.path))
      #expect(graph.parameters.map(\.parameter.shape.dimensions) == expected.weights.map(\.shape))
      #expect(graph.parameterCount == expected.parameters)
    }
  }

  // count_params() of keras.applications.MobileNetV2(weights=None, alpha=…), Keras 3.15.1.
  @Test(arguments: [
    (0.35, 1_691_208), (0.5, 1_987_224), (0.75, 2_663_064), (1, 3_538_984), (1.3, 5_431_048), (1.4, 6_156_712),
  ])
  func channelsAreRoundedAsInKeras(alpha: Double, parameterCount: Int) throws {
    let family = BackboneFamily.mobileNetV2(alpha: alpha)
    #expect(try family.graph(classCount: 1000).parameterCount == parameterCount)
    #expect(BackboneFamily.named("MobileNetV2_\(alpha)")?.name == family.name)
  }

  @Test func efficientNetLite0HasThePublishedSize() throws {
    let graph = try BackboneFamily.efficientNetLite0.graph(classCount: 1000)
    let statistics = graph.parameters.map(\.parameter).filter { !$0.isTrainable }
    #expect(statistics.reduce(0) { $0 + $1.shape.elementCount } == 42_016)
    #expect(graph.parameterCount == 4_652_008 + 42_016)
    #expect(graph.layerNames.first == "input" && graph.layerNames.dropFirst().first == "rescaling")
  }

  @Test(arguments: BackboneFamily.all.map(\.name))
  func stagesCoverTheTrunkOnceFromInputToOutput(name: String) throws {
    let family = try #require(BackboneFamily.named(name))
    let trunk = try family.graph()
    let layers = trunk.layerNames.filter { !(trunk[layer: $0] is Input) }
    #expect(trunk.stages.flatMap(\.layers) == layers)
    #expect(trunk.stages.map(\.name) == family.stageEnds.map(\.name))
    let whole = try family.graph(classCount: 7)
    // Without a classifier ConvNeXt has a normalisation at its end.
    let common = Set(whole.layerNames)
    #expect(whole.stages == trunk.stages.map { Stage(name: $0.name, layers: $0.layers.filter(common.contains)) })
    #expect(whole.outputs.map { whole.nodes[$0].outputShape } == [[7]])
    // Nothing in a stage is fed by a later one, so that freezing a stage freezes everything before it.
    for (index, stage) in trunk.stages.enumerated() {
      let earlier = Set(trunk.stages[...index].flatMap(\.layers)).union(["input", "input_layer"])
      for layer in stage.layers {
        let node = try #require(trunk.firstNode(of: layer))
        #expect(trunk.nodes[node].inputs.allSatisfy { earlier.contains(trunk.nodes[$0].layer) })
      }
    }
  }

  @Test(arguments: BackboneFamily.all.map(\.name))
  func theSmallestSizeIsLargeEnoughAndASmallerOneRefused(name: String) throws {
    let family = try #require(BackboneFamily.named(name))
    #expect(throws: Never.self) { try family.graph(size: family.minimumSize) }
    let tooSmall = Size2D(family.minimumSize.height, family.minimumSize.width - 1)
    let error = #expect(throws: BackboneError.self) { try family.graph(size: tooSmall) }
    #expect(error?.code == .invalidOption)
    #expect(throws: BackboneError.self) { try family.graph(classCount: 0) }
  }

  @Test(arguments: BackboneFamily.all.map(\.name))
  func aFamilyIsRecognizedByItsTrunk(name: String) throws {
    let family = try #require(BackboneFamily.named(name))
    let graph = try family.graph(size: Size2D(96), classCount: 3).embedding(family.preprocessing)
    #expect(BackboneFamily.recognized(in: graph)?.name == name)
  }

  @Test func namesAreUniqueAndForgiving() {
    let names = BackboneFamily.all.map(\.name)
    #expect(Set(names).count == names.count)
    for name in ["ResNet50", "resnet-50", "RESNET_50"] { #expect(BackboneFamily.named(name)?.name == "resnet50") }
    #expect(BackboneFamily.named("EfficientNetLite0")?.name == "efficientnet-lite0")
    #expect(BackboneFamily.named("inception_v3")?.name == "inceptionv3")
    #expect(BackboneFamily.named("resnet51") == nil)
    #expect(BackboneFamily.recognized(in: Graph(name: "empty")) == nil)
  }
}
