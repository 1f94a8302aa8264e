import Tensors

/// Brings every sample to length 1 over some of its axes: y = x/√Σx².
public struct UnitNormalization: Layer {
  /// Keras's name of this kind.
  public static let kind = "UnitNormalization"

  /// The axes of one sample that the length is taken over, counted from the first; −1 is the last.
  public var axes: [Int]

  /// A normalisation to length 1.
  public init(axes: [Int] = [-1]) { self.axes = axes }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let shape = try single(inputs)
    _ = try resolved(axes, in: shape)
    return shape
  }
}

/// Brings every sample to root mean square gamma over some of its axes: y = γ·x/√(mean x² + ε).
///
/// Zhang and Sennrich, 2019.
///
/// ## Shapes
/// - input and output: any
/// - scale: the extents of the axes
public struct RMSNormalization: Layer {
  /// Keras's name of this kind.
  public static let kind = "RMSNormalization"

  /// The axes of one sample that the mean is taken over, counted from the first; −1 is the last.
  public var axes: [Int]
  /// Added to the mean square so that it can be divided by.
  public var epsilon: Float

  /// A normalisation with Keras's defaults.
  public init(axes: [Int] = [-1], epsilon: Float = 1e-6) {
    self.axes = axes
    self.epsilon = epsilon
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let shape = try single(inputs)
    guard try resolved(axes, in: shape) == Array(max(0, shape.rank - axes.count)..<shape.rank) else {
      throw Self.invalid("axes \(axes) are not the last ones, to which Keras's scale belongs")
    }
    guard epsilon.isFinite, epsilon >= 0 else { throw Self.invalid("epsilon must be zero or more, but is \(epsilon)") }
    return shape
  }

  /// The parameters in Keras's order.
  public func parameters(for inputs: [Shape]) throws(GraphError) -> [Parameter] {
    let input = try outputShape(for: inputs)
    return [Parameter("scale", Shape(axes.sorted().map { input[$0] }), .gamma)]
  }
}
