import Tensors

/// A kind of layer with its hyper-parameters: a value that says what is computed, with Keras's meaning, and nothing of how.
///
/// Shapes are those of one sample, without the batch axis: images are `[H, W, C]`. Whether a layer is frozen is not its
/// business; freezing is a set of parameter paths handed to the engine.
public protocol Layer: Hashable, Sendable {
  /// The name of the kind, which is Keras's class name: `Conv2D`.
  static var kind: String { get }

  /// The shape of one sample of the output.
  ///
  /// - Throws: `GraphError` with code `unfitInput` or `invalidOption`.
  func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape

  /// The parameters in the order in which Keras stores them, statistics last.
  ///
  /// - Throws: `GraphError` with code `unfitInput` or `invalidOption`.
  func parameters(for inputs: [Shape]) throws(GraphError) -> [Parameter]
}

extension Layer {
  /// No parameters: what most kinds have.
  public func parameters(for inputs: [Shape]) throws(GraphError) -> [Parameter] { [] }

  /// An error of this kind of layer, before the graph puts the layer's own name in place of the kind's.
  package static func unfit(_ detail: String) -> GraphError {
    GraphError(.unfitInput, subject: kind, detail: detail)
  }

  /// An error about a hyper-parameter of this kind of layer.
  package static func invalid(_ detail: String) -> GraphError {
    GraphError(.invalidOption, subject: kind, detail: detail)
  }

  /// The only input's shape.
  package func single(_ inputs: [Shape]) throws(GraphError) -> Shape {
    guard let input = inputs.first, inputs.count == 1 else {
      throw Self.unfit("takes one input, but has \(inputs.count)")
    }
    return input
  }

  /// The only input's shape, which must be that of an image.
  package func image(_ inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try single(inputs)
    guard input.rank == 3 else { throw Self.unfit("takes an image [H, W, C], but its input is \(input)") }
    return input
  }
}

/// One array of numbers that belongs to a layer.
public struct Parameter: Hashable, Sendable {
  /// What a parameter does, which decides how it starts, whether it can train and whether it decays.
  public enum Role: Hashable, Sendable {
    /// Weights of a linear map with so many numbers going into and out of each output.
    case kernel(fanIn: Int, fanOut: Int)
    /// Added to the output.
    case bias
    /// The scale of a normalisation.
    case gamma
    /// The shift of a normalisation.
    case beta
    /// A mean that is measured, never trained.
    case mean
    /// A variance that is measured, never trained.
    case variance
    /// A count that is measured, never trained.
    case count
  }

  /// The variable's name in Keras: `kernel`.
  public var name: String
  /// The extents, as Keras stores them.
  public var shape: Shape
  /// What the parameter does.
  public var role: Role

  /// A parameter of a layer.
  public init(_ name: String, _ shape: Shape, _ role: Role) {
    self.name = name
    self.shape = shape
    self.role = role
  }

  /// Whether an optimizer may ever change it: false for statistics.
  public var isTrainable: Bool {
    switch role {
    case .kernel, .bias, .gamma, .beta: true
    case .mean, .variance, .count: false
    }
  }
}

/// The name of a parameter in a graph: the layer's name and the variable's, `block1_conv1/kernel`.
public struct ParameterPath: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The layer's name; layers of a nested model carry that model's name and a slash before their own.
  public var layer: String
  /// The variable's name.
  public var variable: String

  /// The path of one variable of a layer.
  public init(_ layer: String, _ variable: String) {
    self.layer = layer
    self.variable = variable
  }

  /// The path written as `layer/variable`; nil without a slash.
  public init?(_ description: String) {
    guard let slash = description.lastIndex(of: "/") else { return nil }
    self.init(String(description[..<slash]), String(description[description.index(after: slash)...]))
  }

  /// `layer/variable`.
  public var description: String { "\(layer)/\(variable)" }

  /// Alphabetical order, for stable lists.
  public static func < (left: ParameterPath, right: ParameterPath) -> Bool {
    (left.layer, left.variable) < (right.layer, right.variable)
  }
}
