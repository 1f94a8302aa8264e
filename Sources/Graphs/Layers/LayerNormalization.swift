import Tensors

/// Brings every sample to mean beta and deviation gamma over some of its axes: y = γ·(x − μ)/√(σ² + ε) + β.
///
/// With RMS scaling the mean stays where it is and there is no shift: y = γ·x/√(σ² + ε). Ba, Kiros and Hinton, 2016.
///
/// ## Shapes
/// - input and output: any
/// - gamma, beta: the extents of the axes
public struct LayerNormalization: Layer {
  /// Keras's name of this kind.
  public static let kind = "LayerNormalization"

  /// The axes of one sample that mean and variance are taken over, counted from the first; −1 is the last.
  public var axes: [Int]
  /// Added to the variance so that it can be divided by.
  public var epsilon: Float
  /// Whether there is a gamma.
  public var scales: Bool
  /// Whether there is a beta.
  public var centers: Bool
  /// Whether only the deviation is changed, and the mean is left alone; there is a gamma then, and no beta.
  public var usesRMSScaling: Bool

  /// A layer normalisation with Keras's defaults.
  public init(
    axes: [Int] = [-1], epsilon: Float = 1e-3, scales: Bool = true, centers: Bool = true, usesRMSScaling: Bool = false
  ) {
    self.axes = axes
    self.epsilon = epsilon
    self.scales = scales
    self.centers = centers
    self.usesRMSScaling = usesRMSScaling
  }

  /// Whether the layer has a gamma.
  package var hasGamma: Bool { scales || usesRMSScaling }
  /// Whether the layer has a beta.
  package var hasBeta: Bool { centers && !usesRMSScaling }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let shape = try single(inputs)
    _ = try resolved(axes, in: shape)
    guard epsilon.isFinite, epsilon >= 0 else { throw Self.invalid("epsilon must be zero or more, but is \(epsilon)") }
    return shape
  }

  /// The parameters in Keras's order.
  public func parameters(for inputs: [Shape]) throws(GraphError) -> [Parameter] {
    let input = try outputShape(for: inputs)
    // Keras sorts the axes as they are written, so that negative ones stand first in the shape of the parameters.
    let shape = Shape(axes.sorted().map { input[$0] })
    var result: [Parameter] = []
    if hasGamma { result.append(Parameter("gamma", shape, .gamma)) }
    if hasBeta { result.append(Parameter("beta", shape, .beta)) }
    return result
  }
}

extension Layer {
  /// Axes counted from the first, in ascending order; each has to exist and to be named once.
  package func resolved(_ axes: [Int], in shape: Shape) throws(GraphError) -> [Int] {
    var result: [Int] = []
    for axis in axes {
      guard axis >= -shape.rank, axis < shape.rank else {
        throw Self.invalid("axis \(axis) does not exist in the input \(shape)")
      }
      result.append(axis < 0 ? axis + shape.rank : axis)
    }
    guard !result.isEmpty, Set(result).count == result.count else {
      throw Self.invalid("axes \(axes) have to name at least one axis, and each only once")
    }
    return result.sorted()
  }
}
