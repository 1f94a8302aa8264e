import Graphs
import Tensors

/// One inverted residual block of an EfficientNet.
struct MobileBlock: Hashable, Sendable {
  /// The beginning of its layers' names: `block2a_`.
  var prefix: String
  /// The channels that go in.
  var input: Int
  /// The channels that come out.
  var output: Int
  /// The side of its window.
  var window: Int
  /// The distance between windows.
  var stride: Int
  /// How many times as many channels there are in between.
  var expansion: Int
  /// The share of the incoming channels that decides about gates; zero where there are none.
  var squeeze: Double
  /// Whether one full convolution stands for the expanding and the depthwise one.
  var isFused = false

  /// The channels in between.
  var expanded: Int { input * expansion }

  /// Whether what goes in is added to what comes out.
  var hasShortcut: Bool { stride == 1 && input == output }

  /// The number of the run that it belongs to, from 1.
  private var run: String { String(prefix.dropFirst(5).prefix { $0.isNumber }) }

  /// The name of its last layer.
  private var lastLayer: String {
    if hasShortcut { return "\(prefix)add" }
    return prefix + (isFused && expansion == 1 ? "project_activation" : "project_bn")
  }

  /// The blocks of one run, of which only the first has the stride and other channels.
  static func run(
    _ index: Int, count: Int, input: Int, output: Int, window: Int, stride: Int, expansion: Int, squeeze: Double,
    isFused: Bool = false
  ) -> [MobileBlock] {
    (0..<count).map { place in
      // Letters go on behind z, as in Keras: chr(97 + place).
      let letter = Character(UnicodeScalar(UInt8(97 + place)))
      return MobileBlock(
        prefix: "block\(index + 1)\(letter)_", input: place == 0 ? input : output, output: output, window: window,
        stride: place == 0 ? stride : 1, expansion: expansion, squeeze: squeeze, isFused: isFused)
    }
  }

  /// A stage for the stem, for each run, and for what follows.
  static func stageEnds(_ blocks: [MobileBlock]) -> [(name: String, lastLayer: String)] {
    var ends = [(name: "stem", lastLayer: "stem_activation")]
    for (index, block) in blocks.enumerated() where index == blocks.count - 1 || blocks[index + 1].run != block.run {
      ends.append(("stage\(ends.count)", block.lastLayer))
    }
    return ends + [("top", "top_activation")]
  }
}

extension NetworkBuilder {
  /// Every channel times a gate from 0 to 1 that all channels' means decide.
  mutating func squeezedAndExcited(_ input: Node, _ block: MobileBlock) throws(GraphError) -> Node {
    guard block.squeeze > 0 else { return input }
    let prefix = "\(block.prefix)se_"
    var x = try add(GlobalAveragePooling2D(), "\(prefix)squeeze", to: input)
    x = try add(Reshape(targetShape: [1, 1, block.expanded]), "\(prefix)reshape", to: x)
    let narrow = max(1, Int(Double(block.input) * block.squeeze))
    x = try conv(x, narrow, 1, bias: true, activation: .silu, "\(prefix)reduce")
    x = try conv(x, block.expanded, 1, bias: true, activation: .sigmoid, "\(prefix)expand")
    return try add(Multiply(), "\(prefix)excite", to: input, x)
  }
}
