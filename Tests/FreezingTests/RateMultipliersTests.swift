import Freezing
import Graphs
import Tensors
import Testing

@Suite struct RateMultipliersTests {
  /// A stem, a residual block of two convolutions, a plain convolution, and a head.
  private func network() throws -> Graph {
    var graph = Graph(name: "network")
    var node = try graph.addInput(Input(shape: [16, 16, 3]), named: "image")
    func conv(_ name: String, _ input: Graph.Node.ID) throws -> Graph.Node.ID {
      let conv = try graph.apply(Conv2D(filters: 4, kernelSize: Size2D(3), padding: .same), named: name, to: [input])
      return try graph.apply(BatchNormalization(), named: "\(name)_bn", to: [conv])
    }
    node = try conv("stem", node)
    let shortcut = node
    node = try conv("block_a", node)
    node = try conv("block_b", node)
    node = try graph.apply(Add(), named: "block_add", to: [shortcut, node])
    node = try conv("last", node)
    node = try graph.apply(GlobalAveragePooling2D(), named: "pool", to: [node])
    graph.outputs = [try graph.apply(Dense(units: 2), named: "dense", to: [node])]
    try graph.setStages([("stem", "stem_bn"), ("stage1", "block_add"), ("stage2", "last_bn")])
    return graph
  }

  private func factors(_ multipliers: RateMultipliers) throws -> [String: Double] {
    let graph = try network()
    let paths = graph.parameters.filter(\.parameter.isTrainable).map(\.path)
    let factors = multipliers.factors(for: paths, in: graph, headLayers: ["pool", "dense"])
    #expect(factors.count == paths.count)
    return Dictionary(uniqueKeysWithValues: factors.map { ($0.key.description, $0.value) })
  }

  @Test func eachStageFurtherDownIsSlower() throws {
    let found = try factors(RateMultipliers(head: 3, stageDecay: 0.5))
    let expected = [
      "dense/kernel": 3, "last/kernel": 0.5, "last_bn/beta": 0.5, "block_a/bias": 0.25, "stem/kernel": 0.125,
    ]
    for (path, factor) in expected { #expect(found[path] == factor, "\(path)") }
  }

  @Test func aResidualBlockIsOneHoweverManyConvolutionsItHas() throws {
    let found = try factors(RateMultipliers(layerDecay: 0.5))
    let expected = [
      "dense/bias": 1, "last/kernel": 0.5, "last_bn/gamma": 0.5, "block_b/kernel": 0.25, "block_a_bn/gamma": 0.25,
      "block_a/kernel": 0.25, "stem_bn/beta": 0.125, "stem/kernel": 0.125,
    ]
    for (path, factor) in expected { #expect(found[path] == factor, "\(path)") }
  }

  @Test func withoutDecayOnlyTheHeadDiffers() throws {
    let found = try factors(RateMultipliers(head: 10))
    #expect(found.allSatisfy { $0.value == ($0.key.hasPrefix("dense") ? 10 : 1) })
  }

  @Test func gammaAndBetaOfEveryNormalisationTrainWhereThatIsAskedFor() throws {
    let graph = try network()
    var phase = Phase(name: "p", train: .head, epochs: 1, learningRate: .constant(1), batchNormalization: .affineOnly)
    let names = Set(try phase.trainable(in: graph, headLayers: ["pool", "dense"]).map(\.description))
    let affine = ["stem_bn", "block_a_bn", "block_b_bn", "last_bn"].flatMap { ["\($0)/gamma", "\($0)/beta"] }
    #expect(names == Set(affine + ["dense/kernel", "dense/bias"]))
    phase.batchNormalization = .frozenStatistics
    #expect(try phase.trainable(in: graph, headLayers: ["dense"]).count == 2)
  }
}
