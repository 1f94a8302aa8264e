import Tensors

/// Brings every channel to mean beta and deviation gamma: y = γ·(x − μ)/√(σ² + ε) + β.
///
/// With frozen statistics μ and σ² are the stored moving ones; with training statistics they are those of the batch, and
/// the moving ones follow them: μ ← momentum·μ + (1 − momentum)·batch mean. Ioffe and Szegedy, 2015.
///
/// ## Shapes
/// - input and output: any, with C channels along the axis
/// - gamma, beta, moving mean, moving variance: `[C]`
public struct BatchNormalization: Layer {
  /// Keras's name of this kind.
  public static let kind = "BatchNormalization"

  /// The axis of the channels in one sample, counted from the first; −1 is the last.
  public var axis: Int
  /// How much of the moving statistics remains at each step.
  public var momentum: Float
  /// Added to the variance so that it can be divided by.
  public var epsilon: Float
  /// Whether there is a gamma.
  public var scales: Bool
  /// Whether there is a beta.
  public var centers: Bool

  /// A batch normalisation with Keras's defaults.
  public init(
    axis: Int = -1, momentum: Float = 0.99, epsilon: Float = 1e-3, scales: Bool = true, centers: Bool = true
  ) {
    self.axis = axis
    self.momentum = momentum
    self.epsilon = epsilon
    self.scales = scales
    self.centers = centers
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let shape = try single(inputs)
    _ = try resolved([axis], in: shape)
    guard epsilon.isFinite, epsilon >= 0 else { throw Self.invalid("epsilon must be zero or more, but is \(epsilon)") }
    return shape
  }

  /// The parameters in Keras's order.
  public func parameters(for inputs: [Shape]) throws(GraphError) -> [Parameter] {
    let shape: Shape = [try outputShape(for: inputs)[axis]]
    var result: [Parameter] = []
    if scales { result.append(Parameter("gamma", shape, .gamma)) }
    if centers { result.append(Parameter("beta", shape, .beta)) }
    return result + [Parameter("moving_mean", shape, .mean), Parameter("moving_variance", shape, .variance)]
  }
}
