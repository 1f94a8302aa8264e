import Graphs
import KerasFormats
import Tensors
import Testing

@Suite struct KerasReadingTests {
  static let wholeModels = [
    "plain-2.h5", "plain-3.h5", "plain-3.keras", "residual-2.h5", "residual-3.h5", "residual-3.keras", "shared-2.h5",
    "shared-3.h5", "shared-3.keras", "nested-2.h5", "nested-2.keras", "nested-3.h5", "nested-3.keras", "plain-1.h5",
    "branches-th-1.h5", "branches-tf-1.h5", "strided-1.h5", "merged-1.h5", "first-3.h5", "first-3.keras",
  ]

  @Test(arguments: wholeModels)
  func everyWeightComesToItsPath(name: String) throws {
    let model = try KerasFiles.read(Fixtures.path(name), inputSize: Size2D(17, 14))
    // The fixtures' weights are made from their paths, so a weight at a wrong path is a wrong weight.
    let expected = Weights.generated(for: model.graph)
    #expect(Set(model.weights.tensors.keys) == Set(expected.tensors.keys))
    for (path, tensor) in expected.tensors { #expect(model.weights[path] == tensor, "\(path)") }
    #expect(model.report.isComplete)
    #expect(model.report.matched.count == expected.tensors.count)
    // Theano turned kernels, and its files say so only by the names in them.
    let isTheanos = name.contains("-1.") && name != "merged-1.h5"
    #expect(model.report.warnings.map { $0.contains("by 180 degrees") } == (isTheanos ? [true] : []))
  }

  @Test(arguments: wholeModels)
  func inputsOutputsAndParametersAreThoseOfKeras(name: String) throws {
    let graph = try KerasFiles.readArchitecture(Fixtures.path(name), inputSize: Size2D(17, 14)).graph
    let stem = String(name.prefix { $0 != "." })
    let generation = try #require(stem.last?.wholeNumberValue)
    let golden = try #require(try Fixtures.golden(generation)[stem])
    #expect(graph.parameterCount == golden["parameters"]?.integer)
    let inputs = try #require(golden["inputs"]?.array).map { $0.array?.dropFirst().compactMap(\.integer) }
    #expect(graph.inputs.map { graph.nodes[$0].outputShape.dimensions } == inputs)
    let outputs = try #require(golden["outputs"]?.array).map { $0.array?.count }
    #expect(graph.outputs.map { graph.nodes[$0].outputShape.elementCount } == outputs)
  }

  @Test func openSizesAreFilledAndNoted() throws {
    let path = Fixtures.path("residual-3.keras")
    let usual = try KerasFiles.readArchitecture(path).graph
    #expect(usual[layer: "image"] as? Input == Input(shape: [224, 224, 3], freeAxes: [0, 1]))
    let wished = try KerasFiles.readArchitecture(path, inputSize: Size2D(40, 30)).graph
    #expect(wished[layer: "image"] as? Input == Input(shape: [40, 30, 3], freeAxes: [0, 1]))
    // A size that the file fixes stays.
    let fixed = try KerasFiles.readArchitecture(Fixtures.path("plain-3.h5"), inputSize: Size2D(40)).graph
    #expect(fixed[layer: "image"] as? Input == Input(shape: [12, 12, 3]))
  }

  @Test func optionsOfLayersAreRead() throws {
    let graph = try KerasFiles.readArchitecture(Fixtures.path("residual-2.h5")).graph
    #expect(graph[layer: "leaky"] as? Activation == Activation(.relu(negativeSlope: 0.1)))
    #expect(graph[layer: "elu"] as? Activation == Activation(.elu(alpha: 0.7)))
    #expect(graph[layer: "relu6"] as? Activation == Activation(.relu(maxValue: 6)))
    #expect(graph[layer: "frame"] as? ZeroPadding2D == ZeroPadding2D(padding: Insets2D(top: 1, bottom: 2, right: 1)))
    #expect(
      graph[layer: "scale"] as? Rescaling == Rescaling(scale: [1 / 64, 1 / 32, 1 / 16], offset: [0.1, 0.2, -0.3]))
    #expect(
      graph[layer: "separable"] as? SeparableConv2D
        == SeparableConv2D(filters: 8, kernelSize: Size2D(3), padding: .same, depthMultiplier: 2, activation: .tanh))
    #expect(
      graph[layer: "enlarge"] as? UpSampling2D == UpSampling2D(size: Size2D(2), interpolation: .bilinear))
    #expect(graph[layer: "squeeze"] as? GlobalAveragePooling2D == GlobalAveragePooling2D(keepsAxes: true))
    #expect(graph[layer: "stem_norm"] as? BatchNormalization == BatchNormalization(momentum: 0.9, epsilon: 1e-5))
    #expect(graph[layer: "depthwise_norm"] as? BatchNormalization == BatchNormalization(centers: false))
  }

  @Test func hardSigmoidIsThatOfTheKerasWhichWroteTheFile() throws {
    let old = try KerasFiles.readArchitecture(Fixtures.path("residual-2.h5")).graph
    let new = try KerasFiles.readArchitecture(Fixtures.path("residual-3.h5")).graph
    #expect((old[layer: "excite"] as? Conv2D)?.activation == .hardSigmoid(slope: 0.2, offset: 0.5))
    #expect((new[layer: "excite"] as? Conv2D)?.activation == .hardSigmoid())
  }

  @Test(arguments: ["nested-2.h5", "nested-3.keras"])
  func nestedNetworksAreFlattenedAndRecorded(name: String) throws {
    let architecture = try KerasFiles.readArchitecture(Fixtures.path(name))
    let graph = architecture.graph
    #expect(graph.modules.map(\.path) == ["trunk", "head"])
    #expect(graph.modules.map(\.kind) == ["Functional", "Sequential"])
    #expect(graph.modules.first?.inputNames == ["pixels"])
    #expect(graph.layerNames.contains("trunk/first") && graph.layerNames.contains("head/first"))
    #expect(architecture.frozenLayers == ["trunk/second"])
  }

  @Test(arguments: ["shared-2.h5", "shared-3.h5"])
  func sharedLayersAreAppliedSeveralTimes(name: String) throws {
    let graph = try KerasFiles.readArchitecture(Fixtures.path(name)).graph
    #expect(graph.nodes.filter { $0.layer == "mix" }.count == 3)
    #expect(graph.nodes.filter { $0.layer == "tower" || $0.layer == "trunk/first" }.count == 2)
    #expect(graph.modules.count == 2)
    #expect(graph.inputs.count == 2 && graph.outputs.count == 2)
  }

  @Test func theKindOfFileIsToldByItsContents() throws {
    #expect(try KerasFiles.format(of: Fixtures.path("plain-3.h5")) == .wholeModelH5)
    #expect(try KerasFiles.format(of: Fixtures.path("plain-2.legacy.h5")) == .weightsOnlyH5)
    #expect(try KerasFiles.format(of: Fixtures.path("residual-3.weights.h5")) == .weightsH5)
    #expect(try KerasFiles.format(of: Fixtures.path("nested-2.keras")) == .keras)
    let architecture = try KerasFiles.readArchitecture(Fixtures.path("nested-2.h5"))
    #expect(architecture.kerasVersion == "2.21.0")
    #expect(architecture.otherContents == ["optimizer_weights"])
  }
}

@Suite struct WeightLoadingTests {
  @Test(arguments: [
    ("plain-3.h5", "plain-3.legacy.h5"), ("plain-2.h5", "plain-2.legacy.h5"), ("nested-3.h5", "nested-3.legacy.h5"),
    ("nested-2.h5", "nested-2.legacy.h5"), ("nested-3.h5", "nested-3.weights.h5"),
    ("nested-2.h5", "nested-2.weights.h5"), ("residual-3.h5", "residual-3.weights.h5"),
    ("plain-2.h5", "plain-3.keras"), ("nested-3.keras", "nested-2.h5"),
  ])
  func weightsOfAnyFileComeIntoAGraph(model: String, weights: String) throws {
    let graph = try KerasFiles.readArchitecture(Fixtures.path(model)).graph
    let (loaded, report) = try KerasFiles.loadWeights(Fixtures.path(weights), into: graph)
    #expect(loaded == Weights.generated(for: graph))
    #expect(report.isComplete)
  }

  @Test func listsOfNamesThatAreSplitArePutTogether() throws {
    let tail = String(repeating: "x", count: 1690)
    var graph = Graph(name: "wordy")
    var node = try graph.addInput(Input(shape: [3]), named: "row")
    for index in 0..<20 {
      let number = index < 10 ? "0\(index)" : "\(index)"
      node = try graph.apply(Dense(units: 3), named: "inner/dense\(number)_\(tail)", to: [node])
    }
    let module = Module(
      path: "inner", kind: "Sequential", inputNames: ["row"], inputs: [0], nodes: Array(1...20), outputs: [20])
    graph.outputs = [try graph.apply(Dense(units: 2), named: "classes", to: [node])]
    graph.modules = [module]
    let (loaded, _) = try KerasFiles.loadWeights(Fixtures.path("wordy-2.legacy.h5"), into: graph)
    #expect(loaded == Weights.generated(for: graph))
  }

  @Test(arguments: ["plain-3.legacy.h5", "plain-2.h5", "plain-3.keras"])
  func otherNamesAreMatchedByTheOrderOfLayers(file: String) throws {
    let graph = try Fixtures.plain(prefix: "my_")
    let (loaded, report) = try KerasFiles.loadWeights(Fixtures.path(file), into: graph)
    #expect(report.matching == .order)
    let expected = Weights.generated(for: try Fixtures.plain())
    #expect(loaded[ParameterPath("my_second", "kernel")] == expected[ParameterPath("second", "kernel")])
    let byName = #expect(throws: WeightError.self) {
      try KerasFiles.loadWeights(Fixtures.path(file), into: graph, options: .byName)
    }
    #expect(byName?.code == .unfitWeights)
  }

  @Test(arguments: ["residual-3.h5", "residual-3.keras", "residual-3.weights.h5"])
  func branchesAreMatchedInKerassOrderOfLayers(file: String) throws {
    let graph = try KerasFiles.readArchitecture(Fixtures.path("residual-3.h5")).graph
    // The same network with names that say nothing, its branches created in another order than Keras lists them.
    var renamed = Graph(name: "renamed")
    for (index, node) in graph.nodes.enumerated() {
      if let input = graph.layer(of: index) as? Input {
        try renamed.addInput(input, named: "layer\(index)")
      } else {
        try renamed.apply(graph.layer(of: index), named: "layer\(index)", to: node.inputs)
      }
    }
    renamed.outputs = graph.outputs
    let (loaded, report) = try KerasFiles.loadWeights(Fixtures.path(file), into: renamed)
    #expect(report.matching == .order)
    let expected = Weights.generated(for: graph)
    for (index, node) in graph.nodes.enumerated() {
      for parameter in graph.parameters(of: node.layer) {
        #expect(
          loaded[ParameterPath("layer\(index)", parameter.name)]
            == expected[ParameterPath(node.layer, parameter.name)])
      }
    }
  }

  @Test func anotherHeadIsAnErrorThatSaysBothShapes() throws {
    let graph = try Fixtures.plain(classCount: 7)
    let path = Fixtures.path("plain-3.legacy.h5")
    let error = #expect(throws: WeightError.self) { try KerasFiles.loadWeights(path, into: graph) }
    #expect(error?.code == .unfitWeights)
    #expect(
      error?.description == "\(path) does not fit the network: it has another shape for "
        + "classes/kernel (expected [48, 7], found [48, 5]), classes/bias (expected [7], found [5]) (the nearest are "
        + "classes/bias [5], conv/kernel [3, 3, 3, 6], second/kernel [3, 2, 6, 8], conv/bias [6], norm/beta [6])")
    let (loaded, report) = try KerasFiles.loadWeights(path, into: graph, options: .skipMismatched)
    #expect(report.mismatched.map(\.path.description) == ["classes/kernel", "classes/bias"])
    #expect(loaded[ParameterPath("classes", "kernel")] == nil)
    #expect(loaded.tensors.count == report.matched.count)
  }

  @Test func missingAndUnusedWeightsAreErrorsThatNameThem() throws {
    let path = Fixtures.path("plain-3.legacy.h5")
    let whole = try Fixtures.plain()
    let trunk = whole.cut(at: [try #require(whole.firstNode(of: "flat"))])
    let unused = #expect(throws: WeightError.self) { try KerasFiles.loadWeights(path, into: trunk) }
    let place = "/classes/plain/classes"
    #expect(
      unused?.detail
        == "does not fit the network: it has no place in the network for \(place)/kernel [48, 5], \(place)/bias [5] "
        + "(the nearest are conv/kernel [3, 3, 3, 6], second/kernel [3, 2, 6, 8], conv/bias [6], norm/beta [6], "
        + "second/bias [8])")
    let (_, report) = try KerasFiles.loadWeights(path, into: trunk, options: .allowUnused)
    #expect(report.unused.count == 2)

    var larger = whole
    larger.outputs = [try larger.apply(Dense(units: 2), named: "more", to: [larger.outputs[0]])]
    let missing = #expect(throws: WeightError.self) { try KerasFiles.loadWeights(path, into: larger) }
    #expect(
      missing?.detail
        == "does not fit the network: it has nothing for more/kernel [5, 2], more/bias [2] (the nearest are "
        + "conv/kernel [3, 3, 3, 6], second/kernel [3, 2, 6, 8], classes/kernel [48, 5], norm/beta [6], conv/bias [6])")
    #expect(try KerasFiles.loadWeights(path, into: larger, options: .partial).report.missing.count == 2)
  }

  @Test(
    arguments: ["plain-3.keras", "plain-2.h5", "plain-3.legacy.h5", "residual-3.weights.h5", "parts-3.weights.json"],
    [LoadOptions.Matching.automatic, .names, .order, .shapes])
  func aFileWithoutAnyFittingWeightIsAlwaysAnError(file: String, matching: LoadOptions.Matching) throws {
    var graph = Graph(name: "stranger")
    let input = try graph.addInput(Input(shape: [33]), named: "input")
    graph.outputs = [try graph.apply(Dense(units: 2), named: "stranger", to: [input])]
    for tolerance in 0..<8 {
      let options = LoadOptions(matching: matching, tolerance: LoadOptions.Tolerance(rawValue: tolerance))
      let error = #expect(throws: WeightError.self) {
        try KerasFiles.loadWeights(Fixtures.path(file), into: graph, options: options)
      }
      #expect(error?.code == .unfitWeights)
      let sentence = "has no weights for this network: stranger/kernel [33, 2] is expected, but the file holds "
      #expect(error?.detail.hasPrefix(sentence) == true, "\(error?.detail ?? "")")
      // Names with shapes, five of them where the file has so many.
      let nearest = error?.detail.split(separator: "(the nearest are ").last?.split(separator: "], ") ?? []
      #expect(nearest.count == 5, "\(error?.detail ?? "")")
    }
  }
}
