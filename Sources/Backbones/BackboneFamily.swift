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
  /// The stages from input to output, each with its last layer.
  public let stageEnds: [(name: String, lastLayer: String)]

  private let trunk: @Sendable (inout Graph, Graph.Node.ID) throws(GraphError) -> Graph.Node.ID
  private let top: @Sendable (inout Graph, Graph.Node.ID, Int) throws(GraphError) -> Graph.Node.ID
  private let graphName: @Sendable (Size2D) -> String
  private let inputName: String

  init(
    name: String, title: String, aliases: [String] = [], defaultSize: Size2D, minimumSize: Size2D = Size2D(32),
    preprocessing: Preprocessing, stageEnds: [(name: String, lastLayer: String)], inputName: String = "input_layer",
    graphName: @escaping @Sendable (Size2D) -> String,
    trunk: @escaping @Sendable (inout Graph, Graph.Node.ID) throws(GraphError) -> Graph.Node.ID,
    top: @escaping @Sendable (inout Graph, Graph.Node.ID, Int) throws(GraphError) -> Graph.Node.ID
  ) {
    self.name = name
    self.title = title
    self.aliases = aliases
    self.defaultSize = defaultSize
    self.minimumSize = minimumSize
    self.preprocessing = preprocessing
    self.stageEnds = stageEnds
    self.inputName = inputName
    self.graphName = graphName
    self.trunk = trunk
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
  /// - Throws: `BackboneError.Code.invalidOption` for a size below the family's minimum or no classes.
  public func graph(size: Size2D? = nil, classCount: Int? = nil) throws(BackboneError) -> Graph {
    let size = size ?? defaultSize
    guard size.height >= minimumSize.height, size.width >= minimumSize.width else {
      throw BackboneError(
        .invalidOption, subject: name, detail: "expected pictures of at least \(minimumSize), found a size of \(size)")
    }
    do throws(GraphError) {
      var graph = Graph(name: graphName(size))
      var node = try graph.addInput(Input(shape: [size.height, size.width, 3]), named: inputName)
      node = try trunk(&graph, node)
      if let classCount { node = try top(&graph, node, classCount) }
      graph.outputs = [node]
      graph = try graph.inKerasOrder()
      try graph.setStages(stageEnds)
      return graph
    } catch {
      throw BackboneError(.invalidOption, subject: name, detail: error.description)
    }
  }

  /// Whether a network contains this family's trunk: the same parameters with the same names and shapes.
  public func matches(_ graph: Graph) -> Bool {
    guard let last = stageEnds.last, graph[layer: last.lastLayer] != nil, let own = try? self.graph() else {
      return false
    }
    return own.layerNames.allSatisfy { name in
      let expected = own.parameters(of: name)
      return expected.isEmpty || graph.parameters(of: name) == expected
    }
  }
}

// MARK: - Finding

extension BackboneFamily {
  /// Every family that can be built.
  public static let all: [BackboneFamily] =
    [.efficientNetLite0] + mobileNetV2Widths.map(mobileNetV2) + [.resNet50, .inceptionV3, .vgg16]

  /// The family of a name or alias; nil for an unknown one.
  public static func named(_ name: String) -> BackboneFamily? {
    let wanted = comparable(name)
    return all.first { family in ([family.name] + family.aliases).contains { comparable($0) == wanted } }
  }

  /// The family whose trunk a network contains; nil for an unknown one.
  public static func recognized(in graph: Graph) -> BackboneFamily? { all.first { $0.matches(graph) } }

  /// A name without letter case and punctuation, for comparison.
  static func comparable(_ name: String) -> String { String(name.lowercased().filter { $0.isLetter || $0.isNumber }) }
}
