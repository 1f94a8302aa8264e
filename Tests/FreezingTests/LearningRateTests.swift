import Foundation
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
    let steps = LearningRate(peak: 8, shape: .step(factor: 0.5, at: [0.25, 0.5]))
    #expect((0..<8).map { steps.value(step: $0, of: 8) } == [8, 8, 4, 4, 2, 2, 2, 2])
    // Cycles of 2, 4 and, cut short, 8 steps.
    let cycles = LearningRate(peak: 1, shape: .cosine(period: 0.25, growth: 2))
    #expect([0, 2, 6].allSatisfy { cycles.value(step: $0, of: 8) == 1 })
    #expect(abs(cycles.value(step: 4, of: 8) - 0.5) <= 1e-15)
  }

  private static let shapes: [LearningRate.Shape] = [
    .constant, .step(), .exponential(), .cosine(), .cosine(final: 0.1), .polynomial(power: 2, final: 0.05),
    .polynomial(),
  ]

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func everyRateClimbsToItsPeakAndNeverRisesAgain(seed: UInt64) {
    var random = SeededGenerator(seed)
    let peak = Double.random(in: 1e-5...1, using: &random)
    let warmUp = Double.random(in: 0..<0.4, using: &random)
    let total = Int.random(in: 1...300, using: &random)
    for shape in Self.shapes {
      let rate = LearningRate(peak: peak, warmUp: warmUp, shape: shape)
      let values = (0..<total).map { rate.value(step: $0, of: total) }
      #expect(values.allSatisfy { $0 > 0 && $0 <= peak })
      let split = min(Int((warmUp * Double(total)).rounded()), total - 1)
      #expect(zip(values[..<split], values.dropFirst()).allSatisfy { $0 < $1 })
      #expect(zip(values[split...], values[split...].dropFirst()).allSatisfy { $0 >= $1 })
      if case .step = shape { continue }
      #expect(values.firstIndex(of: peak) == split)
    }
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func everyRateStaysInItsRangeAndKeepsItsProportion(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let rate = LearningRate.random(using: &random)
    let total = Int.random(in: 1...200, using: &random)
    var plateau = PlateauState()
    for step in 0..<total {
      let value = rate.value(step: step, of: total, plateau: plateau)
      #expect(value >= 0 && value <= rate.peak * (1 + 1e-12), "step \(step) of \(total)")
      let doubled = rate.with(peak: 2 * rate.peak).value(step: step, of: total, plateau: plateau)
      #expect(abs(doubled - 2 * value) <= 1e-12 * rate.peak)
      rate.note(Double.random(in: 0...1, using: &random), in: &plateau)
    }
    let data = try JSONEncoder().encode(rate)
    #expect(try JSONDecoder().decode(LearningRate.self, from: data) == rate)
  }

  @Test func aRateThatWaitsFallsWhenNothingImproves() {
    let reduction = RateReduction(factor: 0.5, patience: 2, minimumDelta: 0.1, minimum: 0.3)
    let rate = LearningRate(peak: 1, shape: .reduceOnPlateau(reduction))
    var plateau = PlateauState()
    var rates: [Double] = []
    for loss in [5, 4.95, 4, 3.95, 4.5, 3, 3, 3, 3, 3, 3] {
      rate.note(loss, in: &plateau)
      rates.append(rate.value(step: 7, of: 100, plateau: plateau))
    }
    #expect(rates == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3])
    #expect(plateau.reductionCount == 2)
  }

  @Test func aMetricThatShouldRiseIsWaitedForTheOtherWayRound() {
    let rate = LearningRate(
      peak: 1, shape: .reduceOnPlateau(RateReduction(metric: .validationAccuracy, factor: 0.1, patience: 1)))
    var plateau = PlateauState()
    for accuracy in [0.5, 0.6, 0.7] { rate.note(accuracy, in: &plateau) }
    #expect(plateau.reductionCount == 0)
    rate.note(0.7, in: &plateau)
    #expect(plateau.reductionCount == 1)
  }
}

extension LearningRate {
  static func random(using random: inout SeededGenerator) -> LearningRate {
    func share(_ range: ClosedRange<Double> = 0.01...0.99) -> Double { .random(in: range, using: &random) }
    let shapes: [Shape] = [
      .constant, .step(factor: share(), at: [share(), share()]), .exponential(final: share()),
      .cosine(final: share(), period: share(), growth: 1 + share()), .oneCycle(start: share(), final: share()),
      .polynomial(power: 3 * share(), final: share()),
      .reduceOnPlateau(RateReduction(factor: share(), patience: 2, minimum: share(0.001...0.01))),
    ]
    return LearningRate(
      peak: share(0.01...1), warmUp: random.next() % 2 == 0 ? 0 : share(),
      shape: shapes[Int(random.next() % UInt64(shapes.count))])
  }
}
