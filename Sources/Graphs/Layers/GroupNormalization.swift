import Tensors

/// Brings every group of channels of a sample to mean beta and deviation gamma: y = γ·(x − μ)/√(σ² + ε) + β.
///
/// Mean and variance are those of all pixels and of the channels of the group. Wu and He, 2018.
///
/// ## Shapes
/// - input and output: any
/// - gamma, beta: the extent of the axis
public struct GroupNormalization: Layer {
  /// Keras's name of this kind.
  public static let kind = "GroupNormalization"

  /// Into how many groups the channels are cut; −1 makes each channel a group.
  public var groups: Int
  /// The axis of the channels in one sample, counted from the first; −1 is the last.
  public var axis: Int
  /// Added to the variance so that it can be divided by.
  public var epsilon: Float
  /// Whether there is a gamma.
  public var scales: Bool
  /// Whether there is a beta.
  public var centers: Bool

  /// A group normalisation with Keras's defaults.
  public init(
    groups: Int = 32, axis: Int = -1, epsilon: Float = 1e-3, scales: Bool = true, centers: Bool = true
  ) {
    self.groups = groups
    self.axis = axis
    self.epsilon = epsilon
    self.scales = scales
    self.centers = centers
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let shape = try single(inputs)
    let channels = shape[try resolved([axis], in: shape)[0]]
    guard groups == -1 || groups > 0 && channels % groups == 0 else {
      throw Self.unfit("\(groups) groups do not divide \(channels) channels")
    }
    guard epsilon.isFinite, epsilon >= 0 else { throw Self.invalid("epsilon must be zero or more, but is \(epsilon)") }
    return shape
  }

  /// The parameters in Keras's order.
  public func parameters(for inputs: [Shape]) throws(GraphError) -> [Parameter] {
    let shape: Shape = [try outputShape(for: inputs)[axis]]
    var result: [Parameter] = []
    if scales { result.append(Parameter("gamma", shape, .gamma)) }
    if centers { result.append(Parameter("beta", shape, .beta)) }
    return result
  }
}
