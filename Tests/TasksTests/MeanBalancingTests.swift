import Tasks
import Testing

@Suite struct MeanBalancingTests {
  private let balancing = MeanBalancing([
    TaskDescription(name: "first", kind: .classification(classes: ["a", "b"]), weight: 2),
    TaskDescription(name: "second", kind: .classification(classes: ["c", "d"]), weight: 0.5),
  ])

  @Test func eachTaskIsAMeanOverItsOwnLabels() {
    // J = (2·(6/3) + 0.5·(8/2)) / 2
    #expect(balancing.value([LossValue(sum: 6, count: 3), LossValue(sum: 8, count: 2)]) == 3)
    #expect(balancing.gradientScale(task: 0, labelledCount: 3) == 2 / 6 as Float)
    #expect(balancing.gradientScale(task: 1, labelledCount: 2) == 0.5 / 4 as Float)
  }

  @Test func aTaskWithoutLabelsAddsNothing() {
    #expect(balancing.value([LossValue(sum: 6, count: 3), LossValue()]) == 2)
    #expect(balancing.gradientScale(task: 1, labelledCount: 0) == 0)
  }
}

@Suite struct ClassWeightingTests {
  @Test func balancedFactorsMakeEveryClassCountTheSame() throws {
    let counts = [10, 30, 60]
    let factors = try #require(ClassWeighting.balanced.factors(counts: counts))
    for (factor, expected) in zip(factors, [100 / 30, 100 / 90, 100 / 180] as [Float]) {
      #expect(abs(factor - expected) <= 1e-6)
    }
  }

  @Test func aClassWithoutSamplesChangesNoOther() {
    #expect(ClassWeighting.balanced.factors(counts: [5, 0, 5]) == [1, 1, 1])
    #expect(ClassWeighting.none.factors(counts: [1, 9]) == nil)
    #expect(ClassWeighting.explicit([1, 3]).factors(counts: [1, 9]) == [1, 3])
  }
}
