import Freezing
import Testing

@Suite struct LearningRateTests {
  @Test func numbersReckonedByHandComeOut() {
    let constant = LearningRate.constant(0.1, warmUp: 0.4)
    // W = 4 of 10 steps climb by fifths.
    for (step, expected) in [0.02, 0.04, 0.06, 0.08, 0.1, 0.1].enumerated() {
      #expect(abs(constant.value(step: step, of: 10) - expected) <= 1e-15)
    }
    let cosine = LearningRate.cosine(peak: 2)
    #expect(cosine.value(step: 0, of: 4) == 2)
    #expect(abs(cosine.value(step: 2, of: 4) - 1) <= 1e-15)
    #expect(abs(cosine.value(step: 3, of: 4) - (1 - 0.5.squareRoot())) <= 1e-15)
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func everyRateClimbsToItsPeakAndNeverRisesAgain(seed: UInt64) {
    var random = SeededGenerator(seed)
    let peak = Double.random(in: 1e-5...1, using: &random)
    let warmUp = Double.random(in: 0..<1, using: &random)
    let total = Int.random(in: 1...300, using: &random)
    for rate in [LearningRate.constant(peak, warmUp: warmUp), .cosine(peak: peak, warmUp: warmUp)] {
      let values = (0..<total).map { rate.value(step: $0, of: total) }
      #expect(values.allSatisfy { $0 > 0 && $0 <= peak })
      let top = values.firstIndex(of: peak)
      #expect(top == min(Int((warmUp * Double(total)).rounded()), total - 1))
      let split = top ?? 0
      #expect(zip(values[..<split], values.dropFirst()).allSatisfy { $0 < $1 })
      #expect(zip(values[split...], values[split...].dropFirst()).allSatisfy { $0 >= $1 })
    }
  }
}
