import Graphs
import Tensors

/// A published architecture: how to build it, what it expects, and how it is divided.
///
/// Layer names, order and options are those of keras.applications, so that official weight files find their places.
public struct BackboneFamily: Sendable {
  /// The name in commands: `resnet50`.
  public let name: String
  /// The name in print: `ResNet50`.
  public let title: String
  /// Other names; letter case, `-`, `_` and `.` do not count in any of them.
  public let aliases: [String]
  /// The size of the pictures that the published weights were trained on.
  public let defaultSize: Size2D
  /// The smallest size that the trunk can take.
  public let minimumSize: Size2D
  /// What happens to a picture before the first convolution.
  public let preprocessing: Preprocessing
  /// The Python expression with which Keras makes the network and fetches its weights; nil where Keras has it not.
  public let kerasCall: String?
  /// How many numbers the network holds without its classifier, and with the 1000 classes of ImageNet; nil where nobody
  /// has counted, as for unusual widths.
  public let parameterCounts: ParameterCounts?
  /// The stages from input to output, each with its last layer.
  public let stageEnds: [(name: String, lastLayer: String)]

  /// Sizes of a published network, statistics included.
  public struct ParameterCounts: Hashable, Sendable {
    /// Without its classifier.
    public var trunk: Int
    /// With the 1000 classes of ImageNet.
    public var whole: Int

    init(_ trunk: Int, _ whole: Int) {
      self.trunk = trunk
      self.whole = whole
    }
  }

  typealias Part = @Sendable (inout NetworkBuilder, Graph.Node.ID) throws(GraphError) -> Graph.Node.ID
  typealias Top = @Sendable (inout NetworkBuilder, Graph.Node.ID, Int) throws(GraphError) -> Graph.Node.ID

  private let trunk: Part
  private let trunkEnd: Part?
  private let top: Top
  private let graphName: @Sendable (Size2D) -> String
  private let inputName: String

  /// A family.
  ///
  /// - Parameters:
  ///   - trunkEnd: What only a network without a classifier has at its end; it belongs to the last stage.
  ///   - top: The classifier.
  init(
    name: String, title: String, aliases: [String] = [], defaultSize: Size2D, minimumSize: Size2D = Size2D(32),
    preprocessing: Preprocessing, isInKeras: Bool = true, kerasCall: String? = nil,
    parameterCounts: ParameterCounts?, stageEnds: [(name: String, lastLayer: String)],
    inputName: String = "input_layer", graphName: (@Sendable (Size2D) -> String)? = nil, trunk: @escaping Part,
    trunkEnd: Part? = nil, top: @escaping Top
  ) {
    self.name = name
    self.title = title
    self.aliases = aliases
    self.defaultSize = defaultSize
    self.minimumSize = minimumSize
    self.preprocessing = preprocessing
    self.kerasCall = isInKeras ? kerasCall ?? "keras.applications.\(title)()" : nil
    self.parameterCounts = parameterCounts
    self.stageEnds = stageEnds
    self.inputName = inputName
    self.graphName = graphName ?? { _ in name }
    self.trunk = trunk
    self.trunkEnd = trunkEnd
    self.top = top
  }
}

// MARK: - Building

extension BackboneFamily {
  /// The network as it is published, without the preprocessing that its weights expect from outside.
  ///
  /// - Parameters:
  ///   - size: The pictures' size; the family's own if nil.
  ///   - classCount: How many classes its classifier has; nil for the trunk alone, Keras's `include_top=False`.
  ///   - channels: 3 for colour pictures, 1 for grey ones; weights for colour fit grey networks only after
  ///     ``Backbone/grey()``.
  /// - Throws: `BackboneError.Code.invalidOption` for a size below the family's minimum, no classes or other channels.
  public func graph(size: Size2D? = nil, classCount: Int? = nil, channels: Int = 3) throws(BackboneError) -> Graph {
    let size = size ?? defaultSize
    guard size.height >= minimumSize.height, size.width >= minimumSize.width else {
      throw BackboneError(
        .invalidOption, subject: name, detail: "expected pictures of at least \(minimumSize), found a size of \(size)")
    }
    guard channels == 1 || channels == 3 else {
      throw BackboneError(.invalidOption, subject: name, detail: "expected 1 or 3 channels, found \(channels)")
    }
    do throws(GraphError) {
      var network = NetworkBuilder(name: graphName(size))
      var node = try trunk(&network, try network.input(size, channels: channels, inputName))
      if let classCount {
        node = try top(&network, node, classCount)
      } else if let trunkEnd {
        node = try trunkEnd(&network, node)
      }
      var graph = try network.finished(node).inKerasOrder()
      try graph.setStages(stageEnds)
      if classCount == nil { graph.extendLastStage() }
      return graph
    } catch {
      throw BackboneError(.invalidOption, subject: name, detail: error.description)
    }
  }
}

extension Graph {
  /// Gives the layers behind the last stage to it: a trunk ends with its last stage.
  mutating func extendLastStage() {
    guard let end = stages.last?.layers.last, let place = layerNames.firstIndex(of: end) else { return }
    stages[stages.count - 1].layers += layerNames[(place + 1)...]
  }
}

// MARK: - Finding

extension BackboneFamily {
  /// Every family that can be built, in the widths that weights were published for.
  public static let all: [BackboneFamily] =
    efficientNetLites + mobileNetWidths.map(mobileNet) + mobileNetV2Widths.map(mobileNetV2) + mobileNetV3s
    + [.vgg16, .vgg19, .resNet50, .resNet101, .resNet152] + resNetV2s + [.inceptionV3, .inceptionResNetV2, .xception]
    + denseNets + nasNets + efficientNets + efficientNetV2s + convNeXts + [.squeezeNet11]

  /// The family of a name or alias, which may end in a width: `mobilenetv2-0.6`; nil for an unknown one.
  public static func named(_ name: String) -> BackboneFamily? {
    let wanted = comparable(name)
    return all.first { family in ([family.name] + family.aliases).contains { comparable($0) == wanted } }
      ?? named(withWidth: name)
  }

  /// A name without letter case and punctuation, for comparison.
  static func comparable(_ name: String) -> String { String(name.lowercased().filter { $0.isLetter || $0.isNumber }) }
}
