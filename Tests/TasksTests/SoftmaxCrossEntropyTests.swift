import Tasks
import Testing

@Suite struct SoftmaxCrossEntropyTests {
  /// Four samples of three classes; the last is far enough out that a naive softmax would overflow with a little more.
  static let logits: [Float] = [1, 2, -1.5, 0.25, -0.5, 3, -2, 0.5, 0.75, 10, -20, 0]
  static let labels: [Int32] = [0, 2, 1, 1]
  static let factors: [Float] = [0.5, 2, 1.25]

  // keras.losses.CategoricalCrossentropy(from_logits=True) of Keras 3.15.1, sample_weight = the class's factor.
  @Test(arguments: [
    (Float(0), false, 8.071586608886719, [-0.18421688675880432, 0.17881707847118378, 0.005399810150265694] as [Float]),
    (0, true, 15.62564468383789, [-0.09210844337940216, 0.08940853923559189, 0.0026998999528586864]),
    (0.1, false, 7.738252639770508, [-0.1675502061843872, 0.17048373818397522, -0.00293352990411222]),
    (0.1, true, 14.901165008544922, [-0.0837751030921936, 0.08524186909198761, -0.0014667599461972713]),
  ])
  func lossAndFirstGradientAreThoseOfKeras(smoothing: Float, weighted: Bool, mean: Double, firstRow: [Float]) {
    let loss = SoftmaxCrossEntropy(
      classCount: 3, labelSmoothing: smoothing, classFactors: weighted ? Self.factors : nil)
    let (value, gradient) = evaluate(loss, Self.logits, Self.labels, scale: 1 / 4)
    #expect(value.count == 4)
    #expect(abs(value.mean - mean) <= 1e-6 * mean)
    for (found, expected) in zip(gradient, firstRow) { #expect(abs(found - expected) <= 1e-7) }
  }

  /// Central differences; f32 rounding of the loss over the width of the difference bounds what they can show.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func gradientIsTheSlopeOfTheLoss(seed: UInt64) {
    var random = SeededGenerator(seed)
    let classCount = 2 + Int(random.next() % 9)
    let loss = SoftmaxCrossEntropy(
      classCount: classCount, labelSmoothing: Float.random(in: 0..<0.5, using: &random),
      classFactors: (0..<classCount).map { _ in Float.random(in: 0.2..<3, using: &random) })
    let logits = (0..<5 * classCount).map { _ in Float.random(in: -4...4, using: &random) }
    let labels = (0..<5).map { _ in Int32(random.next() % UInt64(classCount + 1)) - 1 }
    let (_, gradient) = evaluate(loss, logits, labels, scale: 0.7)
    let width: Float = 1 / 128
    for index in logits.indices {
      var above = logits
      var below = logits
      above[index] += width
      below[index] -= width
      let difference = evaluate(loss, above, labels, scale: 1).0.sum - evaluate(loss, below, labels, scale: 1).0.sum
      let slope = 0.7 * Float(difference) / (above[index] - below[index])
      #expect(abs(gradient[index] - slope) <= 2e-4 * max(1, abs(slope)), "element \(index)")
    }
  }

  @Test func samplesWithoutALabelAddNothing() {
    let loss = SoftmaxCrossEntropy(classCount: 3, labelSmoothing: 0.1, classFactors: Self.factors)
    let (all, _) = evaluate(loss, Self.logits, [0, -1, 1, -1], scale: 1)
    let (kept, keptGradient) = evaluate(loss, Array(Self.logits[0..<3] + Self.logits[6..<9]), [0, 1], scale: 1)
    #expect(all == kept)
    #expect(all.count == 2)
    let (_, gradient) = evaluate(loss, Self.logits, [0, -1, 1, -1], scale: 1)
    #expect(gradient[3..<6] == [0, 0, 0] && gradient[9..<12] == [0, 0, 0])
    #expect(Array(gradient[0..<3] + gradient[6..<9]) == keptGradient)
  }

  @Test func hugeLogitsStayFinite() {
    let loss = SoftmaxCrossEntropy(classCount: 2, labelSmoothing: 0.1)
    let (value, gradient) = evaluate(loss, [1e30, -1e30, 3e4, -3e4], [0, 1], scale: 1)
    #expect(value.sum.isFinite)
    #expect(gradient.allSatisfy { $0.isFinite })
    // With the right class certain nothing is left of the first sample but the smoothing: 0.05·2e30.
    #expect(abs(value.sum - 1e29) < 1e23)
  }

  @Test func theGradientMayOverwriteTheLogits() {
    let loss = SoftmaxCrossEntropy(classCount: 3, labelSmoothing: 0.1, classFactors: Self.factors)
    let (_, apart) = evaluate(loss, Self.logits, Self.labels, scale: 0.25)
    var memory = Self.logits
    memory.withUnsafeMutableBufferPointer { memory in
      Self.labels.withUnsafeBufferPointer { labels in
        _ = loss.evaluate(logits: UnsafeBufferPointer(memory), labels: labels, gradient: memory, scale: 0.25)
      }
    }
    #expect(memory == apart)
  }

  @Test func theLossAloneIsTheSameNumber() {
    let loss = SoftmaxCrossEntropy(classCount: 3, labelSmoothing: 0.2, classFactors: Self.factors)
    let alone = Self.logits.withUnsafeBufferPointer { logits in
      Self.labels.withUnsafeBufferPointer { loss.evaluate(logits: logits, labels: $0) }
    }
    #expect(alone == evaluate(loss, Self.logits, Self.labels, scale: 1).0)
    #expect(loss.forEvaluation == SoftmaxCrossEntropy(classCount: 3, labelSmoothing: 0.2))
  }

  private func evaluate(
    _ loss: SoftmaxCrossEntropy, _ logits: [Float], _ labels: [Int32], scale: Float
  ) -> (LossValue, [Float]) {
    var gradient = [Float](repeating: .nan, count: logits.count)
    let value = gradient.withUnsafeMutableBufferPointer { gradient in
      logits.withUnsafeBufferPointer { logits in
        labels.withUnsafeBufferPointer {
          loss.evaluate(logits: logits, labels: $0, gradient: gradient, scale: scale)
        }
      }
    }
    return (value, gradient)
  }
}

/// SplitMix64, so that a failing seed can be run again.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
    return bits ^ (bits >> 31)
  }
}
