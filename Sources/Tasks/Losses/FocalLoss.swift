import Foundation

/// Cross-entropy in which what is known already counts less: each class's term is multiplied by (1 − p)^γ.
///
/// With probabilities p = softmax z, targets t as in `SoftmaxCrossEntropy` and the class's factor cᵧ
///
///     loss = −cᵧ·Σ tₖ (1 − pₖ)^γ log pₖ
///     ∂loss/∂z = cᵧ·(t·h − p·Σ tₖ hₖ)    with h = γ p (1 − p)^(γ−1) log p − (1 − p)^γ
///
/// γ = 0 is the cross-entropy. Lin et al., 2017; as Keras's `CategoricalFocalCrossentropy` with an alpha of 1.
public struct FocalLoss: ClassificationLoss, Hashable {
  /// How many logits a sample has.
  public let classCount: Int
  /// How much less a class counts that is known: γ ≥ 0.
  public let gamma: Float
  /// The share of the target that is spread evenly over all classes.
  public let labelSmoothing: Float
  /// A factor for each class; nil where all are 1.
  public let classFactors: [Float]?

  /// A loss over so many classes.
  public init(classCount: Int, gamma: Float = 2, labelSmoothing: Float = 0, classFactors: [Float]? = nil) {
    precondition(classCount > 0, "a classification has classes")
    precondition(gamma >= 0, "gamma is 0 or more")
    precondition(classFactors.map { $0.count == classCount } ?? true, "every class has its factor")
    self.classCount = classCount
    self.gamma = gamma
    self.labelSmoothing = labelSmoothing
    self.classFactors = classFactors
  }

  /// The same loss without class factors: what is measured on validation and test samples, as in Keras.
  public var forEvaluation: FocalLoss {
    FocalLoss(classCount: classCount, gamma: gamma, labelSmoothing: labelSmoothing)
  }

  /// The loss of a batch, and its gradient.
  public func evaluate(
    logits: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Int32>,
    gradient: UnsafeMutableBufferPointer<Float>, scale: Float
  ) -> LossValue {
    precondition(gradient.count == logits.count, "the gradient has the shape of the logits")
    var result = LossValue()
    for row in labels.indices {
      let start = row * classCount
      guard let sample = sample(row, logits: logits, label: Int(labels[row])) else {
        for k in start..<start + classCount { gradient[k] = 0 }
        continue
      }
      result.sum += sample.loss
      result.count += 1
      let factor = Double(scale) * sample.factor
      for k in 0..<classCount {
        let term = sample.term(Double(logits[start + k]), gamma: Double(gamma))
        gradient[start + k] = Float(
          factor * (target(of: k, label: sample.label) * term.slope - term.probability * sample.slope))
      }
    }
    return result
  }

  /// The loss of a batch alone.
  public func evaluate(logits: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Int32>) -> LossValue {
    var result = LossValue()
    for row in labels.indices {
      guard let sample = sample(row, logits: logits, label: Int(labels[row])) else { continue }
      result.sum += sample.loss
      result.count += 1
    }
    return result
  }

  /// What is needed of all classes of a sample before any of them.
  private struct Sample {
    let label: Int
    /// The largest logit.
    let maximum: Double
    /// Σ exp(z − maximum).
    let sum: Double
    let factor: Double
    /// The loss.
    var loss = 0.0
    /// Σ tₖ hₖ.
    var slope = 0.0

    /// p, −(1 − p)^γ log p and h of the class with this logit.
    func term(_ logit: Double, gamma: Double) -> (probability: Double, loss: Double, slope: Double) {
      let exponential = exp(logit - maximum)
      let probability = exponential / sum
      let logarithm = logit - maximum - log(sum)
      // Where nearly everything is this class, what is left is lost in 1 − p and not in the difference of the sums.
      let rest = max(0, (sum - exponential) / sum)
      let power = pow(rest, gamma)
      let change = gamma > 0 && rest > 0 ? gamma * probability * power / rest * logarithm : 0
      return (probability, -power * logarithm, change - power)
    }
  }

  private func target(of k: Int, label: Int) -> Double {
    let smoothing = Double(labelSmoothing)
    return (k == label ? 1 - smoothing : 0) + smoothing / Double(classCount)
  }

  private func sample(_ row: Int, logits: UnsafeBufferPointer<Float>, label: Int) -> Sample? {
    precondition(logits.count >= (row + 1) * classCount, "every sample has a logit for each class")
    guard label >= 0 else { return nil }
    precondition(label < classCount, "a label is one of the classes")
    let start = row * classCount
    // Everything relative to the largest logit, so that no exponential overflows.
    var maximum = -Float.infinity
    for k in start..<start + classCount { maximum = max(maximum, logits[k]) }
    var sum = 0.0
    for k in start..<start + classCount { sum += exp(Double(logits[k]) - Double(maximum)) }
    let factor = Double(classFactors.map { $0[label] } ?? 1)
    var sample = Sample(label: label, maximum: Double(maximum), sum: sum, factor: factor)
    for k in 0..<classCount {
      let target = target(of: k, label: label)
      guard target > 0 else { continue }
      let term = sample.term(Double(logits[start + k]), gamma: Double(gamma))
      sample.loss += factor * target * term.loss
      sample.slope += target * term.slope
    }
    return sample
  }
}
