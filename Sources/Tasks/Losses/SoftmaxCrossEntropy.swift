import Foundation

/// The cross-entropy between softmax of the logits and the label, with its gradient.
///
/// With logits z, K classes, label y and smoothing ε the target is t = (1 − ε)·eᵧ + ε/K, and with the class's factor cᵧ
///
///     loss = cᵧ·(log Σ exp zₖ − Σ tₖ zₖ)        ∂loss/∂z = cᵧ·(softmax z − t)
///
/// The mean divides by the number of labelled samples and not by the sum of their factors, as Keras does with
/// `class_weight`. A label of −1 means that the sample has none, or that it only fills up a batch: it adds no loss and no
/// gradient.
public struct SoftmaxCrossEntropy: ClassificationLoss, Hashable {
  /// How many logits a sample has.
  public let classCount: Int
  /// The share of the target that is spread evenly over all classes.
  public let labelSmoothing: Float
  /// A factor for each class; nil where all are 1.
  public let classFactors: [Float]?

  /// A loss over so many classes.
  public init(classCount: Int, labelSmoothing: Float = 0, classFactors: [Float]? = nil) {
    precondition(classCount > 0, "a classification has classes")
    precondition(classFactors.map { $0.count == classCount } ?? true, "every class has its factor")
    self.classCount = classCount
    self.labelSmoothing = labelSmoothing
    self.classFactors = classFactors
  }

  /// The same loss without class factors: what is measured on validation and test samples, as in Keras.
  public var forEvaluation: SoftmaxCrossEntropy {
    SoftmaxCrossEntropy(classCount: classCount, labelSmoothing: labelSmoothing)
  }

  /// The loss of a batch, and its gradient.
  public func evaluate(
    logits: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Int32>,
    gradient: UnsafeMutableBufferPointer<Float>, scale: Float
  ) -> LossValue {
    precondition(gradient.count == logits.count, "the gradient has the shape of the logits")
    return sum(logits: logits, labels: labels) { row, label, maximum, sum, factor in
      let start = row * classCount
      guard label >= 0 else {
        for k in start..<start + classCount { gradient[k] = 0 }
        return
      }
      let scaled = scale * factor
      let normalizer = scaled / sum
      let spread = scaled * labelSmoothing / Float(classCount)
      for k in start..<start + classCount { gradient[k] = exp(logits[k] - maximum) * normalizer - spread }
      gradient[start + label] -= scaled * (1 - labelSmoothing)
    }
  }

  /// The loss of a batch alone.
  public func evaluate(logits: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Int32>) -> LossValue {
    sum(logits: logits, labels: labels) { _, _, _, _, _ in }
  }

  /// Adds up the losses, and hands each row's label, largest logit, Σ exp(z − largest) and class factor to `body`.
  @inline(__always)
  private func sum(
    logits: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Int32>,
    body: (_ row: Int, _ label: Int, _ maximum: Float, _ sum: Float, _ factor: Float) -> Void
  ) -> LossValue {
    precondition(logits.count == labels.count * classCount, "every sample has a logit for each class")
    var result = LossValue()
    for row in labels.indices {
      let label = Int(labels[row])
      guard label >= 0 else {
        body(row, label, 0, 1, 0)
        continue
      }
      precondition(label < classCount, "a label is one of the classes")
      let start = row * classCount
      var maximum = -Float.infinity
      for k in start..<start + classCount { maximum = max(maximum, logits[k]) }
      // Everything relative to the largest logit, so that no exponential overflows.
      var sum: Float = 0
      var total: Double = 0
      for k in start..<start + classCount {
        let shifted = logits[k] - maximum
        sum += exp(shifted)
        total += Double(shifted)
      }
      let factor = classFactors.map { $0[label] } ?? 1
      let smoothing = Double(labelSmoothing)
      let target = (1 - smoothing) * Double(logits[start + label] - maximum) + smoothing / Double(classCount) * total
      result.sum += Double(factor) * (log(Double(sum)) - target)
      result.count += 1
      body(row, label, maximum, sum, factor)
    }
    return result
  }
}
