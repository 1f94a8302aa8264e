/// A function of one number, or of one row for softmax, with Keras's definition.
public enum ActivationFunction: Hashable, Sendable {
  /// x
  case linear
  /// min(x, maxValue) where x ≥ threshold, negativeSlope·(x − threshold) below.
  case relu(maxValue: Float? = nil, negativeSlope: Float = 0, threshold: Float = 0)
  /// x where x > 0, alpha·(eˣ − 1) below.
  case elu(alpha: Float = 1)
  /// 1 / (1 + e⁻ˣ)
  case sigmoid
  /// x·sigmoid(x), also called swish.
  case silu
  /// slope·x + offset, cut to 0…1: Keras 3 has 1/6 and 1/2, Keras 2 had 0.2 and 0.5.
  case hardSigmoid(slope: Float = 1 / 6, offset: Float = 0.5)
  /// x·min(max(x + 3, 0), 6) / 6, also called hard swish.
  case hardSilu
  /// The hyperbolic tangent.
  case tanh
  /// x·Φ(x) with the normal distribution's Φ, or its approximation by tanh.
  case gelu(approximate: Bool = false)
  /// log(1 + eˣ)
  case softplus
  /// eˣ divided by the sum over the last axis.
  case softmax

  /// Whether every element of the result depends on its own element only.
  public var isElementwise: Bool { self != .softmax }
}
