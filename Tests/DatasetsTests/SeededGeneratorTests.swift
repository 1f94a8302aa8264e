import Datasets
import Testing

@Suite struct SeededGeneratorTests {
  @Test func sequencesAreFixedForever() {
    var generator = SeededGenerator(seed: 1, 2, 3)
    #expect((0..<3).map { _ in generator.next() } == SeededGeneratorTests.golden)
  }

  @Test func everyStepOfThePathMatters() {
    func first(_ generator: SeededGenerator) -> UInt64 {
      var generator = generator
      return generator.next()
    }
    let firsts = [
      first(SeededGenerator(seed: 0)), first(SeededGenerator(seed: 1)), first(SeededGenerator(seed: 0, 0)),
      first(SeededGenerator(seed: 0, 1)), first(SeededGenerator(seed: 0, 0, 1)), first(SeededGenerator(seed: 0, 1, 0)),
    ]
    #expect(Set(firsts).count == firsts.count)
  }

  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func drawsAreSpreadEvenly(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var counts = [Int](repeating: 0, count: 6)
    for _ in 0..<6000 { counts[generator.index(below: 6)] += 1 }
    // Six standard deviations of a binomial of 6000 draws at 1/6.
    #expect(counts.allSatisfy { abs($0 - 1000) < 174 })
    let units = (0..<1000).map { _ in generator.unit() }
    #expect(units.allSatisfy { 0..<1 ~= $0 })
    // Six standard deviations of the mean of 1000 even draws.
    #expect(abs(units.reduce(0, +) / 1000 - 0.5) < 0.055)
  }

  // By an implementation in Python of its own.
  private static let golden: [UInt64] = [
    0x5908_a745_2a15_9893, 0xd18d_b03b_ddb5_424a, 0xef3e_118e_b6ea_a582,
  ]
}
