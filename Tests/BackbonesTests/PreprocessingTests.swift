import Backbones
import Graphs
import KerasFormats
import Tensors
import Testing

@Suite struct PreprocessingTests {
  /// Padding, then a convolution, as ResNet begins; one pixel of a picture in red, green, blue.
  private func network() throws -> Graph {
    var graph = Graph(name: "network")
    let image = try graph.addInput(Input(shape: [4, 4, 3]), named: "image")
    let padded = try graph.apply(ZeroPadding2D(), named: "pad", to: [image])
    let conv = try graph.apply(Conv2D(filters: 2, kernelSize: Size2D(3)), named: "conv", to: [padded])
    graph.outputs = [conv]
    try graph.setStages([("stem", "conv")])
    return graph
  }

  @Test func theLayerStandsBehindTheInputInTheFirstStage() throws {
    let graph = try network().embedding(.tf)
    #expect(graph.layerNames == ["image", "rescaling", "pad", "conv"])
    #expect(graph.nodes.map(\.inputs) == [[], [0], [1], [2]])
    #expect(graph.outputs == [3] && graph.inputs == [0])
    #expect(graph.stages == [Stage(name: "stem", layers: ["rescaling", "pad", "conv"])])
  }

  @Test func whatIsInsideTheModelAlreadyIsNotDoneTwice() throws {
    let graph = try network()
    #expect(try graph.embedding(.insideModel) == graph)
    let weights = Weights.generated(for: graph)
    for preprocessing in Preprocessing.allCases where !preprocessing.isBlueFirst {
      var embedded = weights
      try embedded.embed(preprocessing, in: graph)
      #expect(embedded == weights)
    }
  }

  @Test func channelsThatTheNetworkTurnsRoundItselfAreItsPreprocessing() throws {
    var graph = Graph(name: "network")
    let image = try graph.addInput(Input(shape: [4, 4, 3]), named: "image")
    let turned = try graph.apply(Slicing.reversing(), named: "turned", to: [image])
    let conv = Conv2D(filters: 2, kernelSize: Size2D(3))
    graph.outputs = [try graph.apply(conv, named: "conv", to: [turned])]
    // Without its mean it is half of what a family does.
    #expect(!graph.beginsWithPreprocessing)
    let shifted = try graph.apply(Rescaling(scale: [1], offset: [-1, -2, -3]), named: "shifted", to: [turned])
    graph.outputs = [try graph.apply(conv, named: "second", to: [shifted])]
    #expect(graph.beginsWithPreprocessing)
    #expect(graph.preparingLayers == ["turned", "shifted"])
  }

  @Test(arguments: ["operations-2.h5", "operations-3.h5", "operations-3.keras"])
  func preprocessingOfVGGIsRecognisedInAForeignNetwork(file: String) throws {
    let here = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
    let graph = try KerasFiles.readArchitecture("/\(here)/Fixtures/keras/\(file)").graph
    #expect(graph.beginsWithPreprocessing)
    let first = try #require(graph.preparingLayers.first.flatMap { graph[layer: $0] as? Slicing })
    #expect(first.reversesChannels(of: [8, 6, 3]))
    // The channels are turned by one layer, however many operations did it in the file.
    #expect(graph.layerNames.filter { graph[layer: $0] is Stack } == [])
  }

  // keras.applications.imagenet_utils.preprocess_input of the pixel (200, 100, 50) in each mode.
  @Test(arguments: [
    (Preprocessing.tf, [0.568627451, -0.215686275, -0.607843137] as [Float]),
    (.torch, [1.30704684, -0.285014006, -0.932984749]),
    (.caffe, [76.32, -16.779, -53.939]),
  ])
  func aPixelBecomesWhatKerasMakesOfIt(preprocessing: Preprocessing, expected: [Float]) throws {
    let graph = try network().embedding(preprocessing)
    let layer = try #require(graph[layer: "rescaling"] as? Rescaling)
    for (channel, value) in ([200, 100, 50] as [Float]).enumerated() {
      let scale = layer.scale.count > 1 ? layer.scale[channel] : layer.scale[0]
      let offset = layer.offset.count > 1 ? layer.offset[channel] : layer.offset[0]
      #expect(abs(value * scale + offset - expected[channel]) <= 1e-5 * max(1, abs(expected[channel])))
    }
  }

  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func turningTheKernelEqualsTurningThePicture(seed: UInt64) throws {
    let graph = try network()
    let weights = Weights.generated(for: graph)
    var turned = weights
    try turned.embed(.caffe, in: graph)
    let path = ParameterPath("conv", "kernel")
    let kernel = try #require(weights[path]).floats
    let turnedKernel = try #require(turned[path]).floats
    #expect(kernel != turnedKernel)
    #expect(turned[ParameterPath("conv", "bias")] == weights[ParameterPath("conv", "bias")])
    var random = SeededGenerator(seed)
    for position in 0..<9 {
      let pixel = (0..<3).map { _ in Float.random(in: 0...255, using: &random).rounded() }
      let blueFirst = zip(pixel.reversed(), [103.939, 116.779, 123.68] as [Float]).map { $0 - $1 }
      let redFirst = zip(pixel, [123.68, 116.779, 103.939] as [Float]).map { $0 - $1 }
      for filter in 0..<2 {
        let published = (0..<3).reduce(0) { $0 + blueFirst[$1] * kernel[(position * 3 + $1) * 2 + filter] }
        let embedded = (0..<3).reduce(0) { $0 + redFirst[2 - $1] * turnedKernel[(position * 3 + 2 - $1) * 2 + filter] }
        #expect(published == embedded)
      }
    }
    try turned.embed(.caffe, in: graph)
    #expect(turned == weights)
  }

  @Test func everyBlueFirstFamilyHasAKernelToTurn() throws {
    for family in BackboneFamily.all where family.preprocessing.isBlueFirst {
      let graph = try family.graph(size: Size2D(32))
      let weights = Weights.generated(for: graph)
      var turned = weights
      try turned.embed(family.preprocessing, in: graph)
      let changed = graph.parameters.map(\.path).filter { turned[$0] != weights[$0] }
      #expect(changed.count == 1)
    }
  }

  @Test func whatCannotBeTurnedIsRefused() throws {
    var graph = Graph(name: "network")
    let image = try graph.addInput(Input(shape: [4, 4, 3]), named: "image")
    graph.outputs = [try graph.apply(DepthwiseConv2D(kernelSize: Size2D(3)), named: "depthwise", to: [image])]
    var weights = Weights.generated(for: graph)
    let error = #expect(throws: GraphError.self) { try weights.embed(.caffe, in: graph) }
    #expect(error?.subject == "depthwise")
    var grey = Graph(name: "grey")
    grey.outputs = [try grey.addInput(Input(shape: [4, 4, 1]), named: "image")]
    #expect(throws: GraphError.self) { try grey.embedding(.tf) }
  }
}

/// SplitMix64, so that a failing seed can be run again.
private struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
    return bits ^ (bits >> 31)
  }
}
