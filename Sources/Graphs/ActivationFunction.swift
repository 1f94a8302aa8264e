/// A function of one number, or of one row for softmax, with Keras's definition.
public enum ActivationFunction: Hashable, Sendable {
  /// x
  case linear
  /// min(x, maxValue) where x ≥ threshold, negativeSlope·(x − threshold) below.
  case relu(maxValue: Float? = nil, negativeSlope: Float = 0, threshold: Float = 0)
  /// x where x > 0, alpha·(eˣ − 1) below.
  case elu(alpha: Float = 1)
  /// x, cut to low…high, of which one may be infinite.
  case clip(low: Float, high: Float)
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
  /// 1.0507·x where x > 0, 1.0507·1.6733·(eˣ − 1) below.
  case selu
  /// x where x > 0, alpha·(e^(x/alpha) − 1) below.
  case celu(alpha: Float = 1)
  /// x / (1 + |x|)
  case softsign
  /// x·tanh(log(1 + eˣ))
  case mish
  /// eˣ
  case exponential
  /// x, cut to −1…1.
  case hardTanh
  /// x where |x| > threshold, 0 between.
  case hardShrink(threshold: Float = 0.5)
  /// x, brought nearer to 0 by threshold, and 0 between.
  case softShrink(threshold: Float = 0.5)
  /// x − tanh(x)
  case tanhShrink
  /// x where x > threshold, value below.
  case threshold(Float, value: Float)
  /// (x + √(x² + b)) / 2
  case squareplus(b: Float = 4)
  /// 0 where x ≤ −1, x where x ≥ 1, (x + 1)²/4 between.
  case sparsePlus
  /// 0 where x ≤ −1, 1 where x ≥ 1, (x + 1)/2 between.
  case sparseSigmoid
  /// −log(1 + e⁻ˣ)
  case logSigmoid
  /// eˣ divided by the sum over the last axis.
  case softmax
  /// The logarithm of softmax.
  case logSoftmax
  /// max(x − level, 0) with one level for the last axis, so that few elements are left.
  ///
  /// Martins and Astudillo, 2016, but with Keras's level, which is not that of the paper: where several elements are left
  /// their sum is not 1.
  case sparsemax

  /// Whether every element of the result depends on its own element only.
  public var isElementwise: Bool {
    switch self {
    case .softmax, .logSoftmax, .sparsemax: false
    default: true
    }
  }
}
