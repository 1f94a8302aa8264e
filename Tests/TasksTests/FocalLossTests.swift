import Foundation
import Tasks
import Testing

@Suite struct FocalLossTests {
  @Test func aNumberReckonedByHandComesOut() {
    // p = 1/2, so that the loss is (1/2)²·log 2 and its slope (1/4)·(2·log ½ − 1)/2 … by hand: h = −¼ − ½·log 2.
    let (value, gradient) = evaluate(FocalLoss(classCount: 2), [0, 0], [1], scale: 1)
    #expect(abs(value.sum - log(2) / 4) <= 1e-12)
    let slope = Float(0.5 * (0.25 + 0.5 * log(2)))
    #expect(abs(gradient[0] - slope) <= 1e-7)
    #expect(abs(gradient[1] + slope) <= 1e-7)
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func withoutGammaItIsTheCrossEntropy(seed: UInt64) {
    var random = SeededGenerator(seed)
    let logits = (0..<12).map { _ in Float.random(in: -4...4, using: &random) }
    let labels = (0..<4).map { _ in Int32(random.next() % 4) - 1 }
    let factors: [Float] = [0.5, 2, 1.25]
    let focal = FocalLoss(classCount: 3, gamma: 0, labelSmoothing: 0.2, classFactors: factors)
    let plain = SoftmaxCrossEntropy(classCount: 3, labelSmoothing: 0.2, classFactors: factors)
    let (found, gradient) = evaluate(focal, logits, labels, scale: 0.3)
    let (expected, wanted) = evaluate(plain, logits, labels, scale: 0.3)
    #expect(found.count == expected.count)
    #expect(abs(found.sum - expected.sum) <= 1e-6 * expected.sum)
    for (one, other) in zip(gradient, wanted) { #expect(abs(one - other) <= 1e-6) }
  }

  /// Central differences in the loss, which is summed in f64.
  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func gradientIsTheSlopeOfTheLoss(seed: UInt64) {
    var random = SeededGenerator(seed)
    let classCount = 2 + Int(random.next() % 9)
    let loss = FocalLoss(
      classCount: classCount, gamma: Float.random(in: 0...5, using: &random),
      labelSmoothing: Float.random(in: 0..<0.5, using: &random),
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
      let slope = 0.7 * difference / Double(above[index] - below[index])
      // The third derivative times the width squared.
      #expect(abs(Double(gradient[index]) - slope) <= 2e-4 * max(1, abs(slope)), "element \(index)")
    }
  }

  @Test func samplesWithoutALabelAddNothing() {
    let loss = FocalLoss(classCount: 3, labelSmoothing: 0.1)
    let logits: [Float] = [1, 2, -1.5, 0.25, -0.5, 3]
    let (value, gradient) = evaluate(loss, logits, [-1, 2], scale: 1)
    let (kept, keptGradient) = evaluate(loss, Array(logits[3...]), [2], scale: 1)
    #expect(value == kept && value.count == 1)
    #expect(gradient[0..<3] == [0, 0, 0] && Array(gradient[3...]) == keptGradient)
  }

  @Test(arguments: [Float(0), 0.5, 1, 2, 5])
  func certainAnswersStayFinite(gamma: Float) {
    let loss = FocalLoss(classCount: 2, gamma: gamma)
    let logits: [Float] = [1e30, -1e30, 3e4, -3e4, 40, -40, 17, -17, 0, 0]
    for label: Int32 in [0, 1] {
      let (value, gradient) = evaluate(loss, logits, Array(repeating: label, count: 5), scale: 1)
      #expect(value.sum.isFinite)
      #expect(gradient.allSatisfy { $0.isFinite })
    }
  }

  @Test func whatIsNoNumberIsNotHidden() {
    let (value, _) = evaluate(FocalLoss(classCount: 2), [.nan, 0], [0], scale: 1)
    #expect(value.sum.isNaN)
  }

  @Test func theGradientMayOverwriteTheLogitsAndTheLossAloneIsTheSame() {
    let loss = FocalLoss(classCount: 3, labelSmoothing: 0.1, classFactors: [1, 2, 3])
    let logits: [Float] = [1, 2, -1.5, 0.25, -0.5, 3]
    let (value, apart) = evaluate(loss, logits, [0, 2], scale: 0.25)
    var memory = logits
    memory.withUnsafeMutableBufferPointer { memory in
      [Int32(0), 2].withUnsafeBufferPointer { labels in
        #expect(loss.evaluate(logits: UnsafeBufferPointer(memory), labels: labels) == value)
        _ = loss.evaluate(logits: UnsafeBufferPointer(memory), labels: labels, gradient: memory, scale: 0.25)
      }
    }
    #expect(memory == apart)
    #expect(loss.forEvaluation == FocalLoss(classCount: 3, labelSmoothing: 0.1))
  }

  private func evaluate(
    _ loss: some ClassificationLoss, _ logits: [Float], _ labels: [Int32], scale: Float
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
