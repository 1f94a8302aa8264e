import Freezing
import Graphs
import Tensors
import Testing

@Suite struct ParameterSelectionTests {
  /// Three stages of a convolution and a batch normalisation each, then a head.
  private func network() throws -> Graph {
    var graph = Graph(name: "network")
    var node = try graph.addInput(Input(shape: [32, 32, 3]), named: "image")
    for stage in ["stem", "stage1", "stage2"] {
      node = try graph.apply(
        Conv2D(filters: 4, kernelSize: Size2D(3), usesBias: false), named: "\(stage)_conv", to: [node])
      node = try graph.apply(BatchNormalization(), named: "\(stage)_bn", to: [node])
    }
    node = try graph.apply(GlobalAveragePooling2D(), named: "pool", to: [node])
    graph.outputs = [try graph.apply(Dense(units: 2), named: "dense", to: [node])]
    try graph.setStages([("stem", "stem_bn"), ("stage1", "stage1_bn"), ("stage2", "stage2_bn")])
    return graph
  }

  private func resolve(_ text: String) throws -> Set<String> {
    let paths = try ParameterSelection(text).resolve(in: network(), headLayers: ["pool", "dense"])
    return Set(paths.map(\.description))
  }

  private static let head: Set = ["dense/kernel", "dense/bias"]
  private static let last: Set = ["stage2_conv/kernel", "stage2_bn/gamma", "stage2_bn/beta"]
  private static let middle: Set = ["stage1_conv/kernel", "stage1_bn/gamma", "stage1_bn/beta"]
  private static let first: Set = ["stem_conv/kernel", "stem_bn/gamma", "stem_bn/beta"]

  @Test func eachWordPicksWhatItSays() throws {
    #expect(try resolve("none") == [])
    #expect(try resolve("head") == Self.head)
    #expect(try resolve("trunk") == Self.first.union(Self.middle).union(Self.last))
    #expect(try resolve("all") == Self.first.union(Self.middle).union(Self.last).union(Self.head))
    #expect(try resolve("stages:last 2") == Self.middle.union(Self.last))
    #expect(try resolve("stage:stage1") == Self.middle)
    #expect(try resolve("layer:stem_bn") == ["stem_bn/gamma", "stem_bn/beta"])
    #expect(try resolve("stages:stem..stage1") == Self.first.union(Self.middle))
    #expect(try resolve("stages:stage2..stage2") == Self.last)
    #expect(try resolve("layers:last 3") == Self.last.union(["stage1_bn/gamma", "stage1_bn/beta"]))
    #expect(try resolve("layer:/^stage1_/") == Self.middle)
    #expect(try resolve("parameter:/bn.gamma$/") == ["stem_bn/gamma", "stage1_bn/gamma", "stage2_bn/gamma"])
    #expect(try resolve("parameter:/dense\\/bias/") == ["dense/bias"])
    #expect(try resolve("kind:batch_normalization") == resolve("layer:/_bn$/"))
    #expect(try resolve("kind:BatchNormalization") == resolve("kind:batch_normalization"))
    #expect(try resolve("kind:conv2d") == resolve("layer:/_conv$/"))
    #expect(try resolve("bias") == ["stem_bn/beta", "stage1_bn/beta", "stage2_bn/beta", "dense/bias"])
    #expect(try resolve("normalization") == resolve("kind:batch_normalization"))
    #expect(try resolve("from:stage2_conv") == Self.last.union(Self.head))
  }

  @Test func operatorsWorkFromLeftToRight() throws {
    #expect(try resolve("head + stages:last 1") == Self.head.union(Self.last))
    #expect(try resolve("all - trunk") == Self.head)
    #expect(try resolve("all - head + layer:dense") == resolve("all"))
    #expect(try resolve("all - (head + stage:stem)") == Self.middle.union(Self.last))
    #expect(try resolve("trunk & normalization - stage:stem") == resolve("kind:batch_normalization - stage:stem"))
    #expect(try resolve("head + stages:last 2 & bias") == ["dense/bias", "stage1_bn/beta", "stage2_bn/beta"])
    #expect(try resolve("head + (stages:last 1 & bias)") == Self.head.union(["stage2_bn/beta"]))
    #expect(try resolve("layer:/conv$|dense/ - head") == resolve("kind:conv2d"))
  }

  @Test func aNetworkWithoutStagesHasThemWhereItsResolutionFalls() throws {
    var graph = Graph(name: "network")
    let image = try graph.addInput(Input(shape: [32, 32, 3]), named: "image")
    let first = try graph.apply(Conv2D(filters: 4, kernelSize: Size2D(3)), named: "first", to: [image])
    _ = try graph.apply(
      Conv2D(filters: 4, kernelSize: Size2D(3), strides: Size2D(2)), named: "second", to: [first])
    let paths = try ParameterSelection.stages(last: 1).resolve(in: graph, headLayers: [])
    #expect(paths == [ParameterPath("second", "kernel"), ParameterPath("second", "bias")])
  }

  @Test(arguments: [
    (
      "stage:stgae1",
      "selection stage:stgae1: there is no stage stgae1; the nearest are stage1, stem, stage2"
    ),
    (
      "head + layer:dence",
      "selection layer:dence: there is no layer dence; the nearest are dense, image, pool"
    ),
    ("stages:last 4", "selection stages:last 4: the network has 3 stages: stem, stage1, stage2"),
    ("layer:pool", "selection layer:pool: the network has no parameters there that could train"),
    ("head - head", "selection head - head: leaves nothing to train"),
    ("head & trunk", "selection head & trunk: its sides share no parameter"),
    (
      "layer:/^stgae1/",
      "selection layer:/^stgae1/: there is no layer that matches /^stgae1/; the nearest are stem_bn, stage1_bn, dense"
    ),
    (
      "parameter:/dense.kernal/",
      "selection parameter:/dense.kernal/: there is no parameter that matches /dense.kernal/; the nearest are "
        + "dense/kernel, dense/bias, stem_conv/kernel"
    ),
    (
      "kind:batchnorm",
      "selection kind:batchnorm: there is no layer of the kind batchnorm; the nearest are conv2d, dense, "
        + "batch_normalization"
    ),
    ("kind:input_layer", "selection kind:input_layer: the network has no parameters there that could train"),
    ("stages:stage2..stem", "selection stages:stage2..stem: stem comes before stage2 in the network"),
    ("layers:last 8", "selection layers:last 8: the trunk has 6 layers with something to train"),
    ("from:dence", "selection from:dence: there is no layer dence; the nearest are dense, image, pool"),
  ])
  func whatPicksNothingIsAnErrorThatHelps(text: String, message: String) {
    let error = #expect(throws: ScheduleError.self) { try resolve(text) }
    #expect(error?.description == message)
  }

  @Test(arguments: [
    "", "heads", "head+trunk", "head +", "stages:last two", "stages:last 0", "stage:", "(head", "head)", "layer:\"a",
    "head & ", "head&trunk", "stages:a", "stages:a..", "stages:..b", "layers:last", "layer:/a", "layer:/(/",
    "parameter:a",
    "kind:", "from:", "biases", "layer:/a/b",
    "layer://", "head + parameter://",
  ])
  func whatIsNoSelectionIsRefused(text: String) {
    let error = #expect(throws: ScheduleError.self) { try ParameterSelection(text) }
    #expect(error?.code == .syntax)
  }

  @Test(arguments: ["(", "head + ", "head - (", "layer:/a/ & "])
  func whatHasNoEndIsRefused(part: String) {
    #expect(throws: ScheduleError.self) { try ParameterSelection(String(repeating: part, count: 100_000) + "head") }
  }

  @Test(arguments: 1...200 as ClosedRange<UInt64>)
  func whatIsWrittenIsReadAgain(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let selection = try ParameterSelection.random(depth: 4, using: &random)
    #expect(try ParameterSelection(selection.description) == selection)
  }

  @Test(arguments: 1...50 as ClosedRange<UInt64>)
  func neverPicksStatisticsAndNeverMoreThanAll(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let graph = try network()
    let trainable = Set(graph.parameters.filter(\.parameter.isTrainable).map(\.path))
    let names = graph.layerNames.filter { !graph.parameters(of: $0).isEmpty }.shuffled(using: &random)
    let chosen = ParameterSelection.layers(Array(names.prefix(3)))
    let rest = ParameterSelection.all - chosen
    let inside = try chosen.resolve(in: graph, headLayers: ["dense"])
    let outside = try rest.resolve(in: graph, headLayers: ["dense"])
    #expect(inside.isDisjoint(with: outside))
    #expect(inside.union(outside) == trainable)
  }
}

extension ParameterSelection {
  static func random(depth: Int, using random: inout SeededGenerator) throws -> ParameterSelection {
    let names = [
      "block1_conv1", "a b", "say \"hi\"", "back\\slash", "(x)", "/slash", "a + b", "outer/inner", "ü", "a..b", "dot.",
    ]
    let patterns = ["^block5_", "a + b", "x/y", "[/]$", "a & (b|c)", "\\d{2}"]
    func name() -> String { names[Int(random.next() % UInt64(names.count))] }
    func pattern() throws -> NamePattern { try NamePattern(patterns[Int(random.next() % UInt64(patterns.count))]) }
    switch random.next() % (depth > 0 ? 24 : 15) {
    case 0: return .all
    case 1: return .none
    case 2: return .head
    case 3: return .trunk
    case 4: return .stages(last: 1 + Int(random.next() % 9))
    case 5: return .stage(name())
    case 6: return .layer(name())
    case 7: return .bias
    case 8: return .normalization
    case 9: return .layers(last: 1 + Int(random.next() % 99))
    case 10: return .stageRange(from: name(), through: name())
    case 11: return .layersMatching(try pattern())
    case 12: return .parametersMatching(try pattern())
    case 13: return .kind(name())
    case 14: return .from(layer: name())
    case 15...17:
      return try Self.random(depth: depth - 1, using: &random) + Self.random(depth: depth - 1, using: &random)
    case 18...20:
      return try Self.random(depth: depth - 1, using: &random) & Self.random(depth: depth - 1, using: &random)
    default:
      return try Self.random(depth: depth - 1, using: &random) - Self.random(depth: depth - 1, using: &random)
    }
  }
}

/// SplitMix64, so that a failing seed can be run again.
struct SeededGenerator: RandomNumberGenerator {
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
