import Foundation
import Tasks
import Testing

@Suite struct LossGoldenTests {
  private struct Golden: Decodable {
    struct Case: Decodable {
      var name: String
      var labelSmoothing: Float
      var classWeights: [Float]
      var labels: [Int32]
      var logits: [Float]
      var loss: Double
      var gradient: [Float]
      var gamma: Float?

      var function: any ClassificationLoss {
        let count = classWeights.count
        guard let gamma else {
          return SoftmaxCrossEntropy(classCount: count, labelSmoothing: labelSmoothing, classFactors: classWeights)
        }
        return FocalLoss(
          classCount: count, gamma: gamma, labelSmoothing: labelSmoothing, classFactors: classWeights)
      }
    }

    var cases: [Case]
  }

  /// The goldens were computed in f64 from logits of nine digits, so that f32 alone sets the tolerance.
  @Test func lossesAndGradientsAreThoseOfKeras() throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = tests.appendingPathComponent("Goldens/losses.json")
    let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    #expect(golden.cases.count { $0.gamma == nil } == 4 && golden.cases.count { $0.gamma != nil } == 3)
    for expected in golden.cases {
      let loss = expected.function
      var gradient = [Float](repeating: .nan, count: expected.logits.count)
      let value = gradient.withUnsafeMutableBufferPointer { gradient in
        expected.logits.withUnsafeBufferPointer { logits in
          expected.labels.withUnsafeBufferPointer {
            loss.evaluate(logits: logits, labels: $0, gradient: gradient, scale: 1 / Float(expected.labels.count))
          }
        }
      }
      #expect(abs(value.mean - expected.loss) <= 1e-6 * expected.loss, "\(expected.name)")
      for (found, wanted) in zip(gradient, expected.gradient) {
        #expect(abs(found - wanted) <= 1e-6, "\(expected.name)")
      }
    }
  }
}
