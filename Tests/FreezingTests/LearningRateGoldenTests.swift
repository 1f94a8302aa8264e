import Foundation
import Freezing
import Testing

/// Rates against stock Keras and PyTorch; `scripts/make-goldens` says how the numbers are made.
@Suite struct LearningRateGoldenTests {
  private struct Goldens: Decodable {
    struct Case: Decodable {
      var name: String
      var rate: LearningRate
      var values: [Double]
    }

    struct Plateau: Decodable {
      var rate: LearningRate
      var losses: [Double]
      var values: [Double]
    }

    var total: Int
    var cases: [Case]
    var plateau: Plateau

    static func read() throws -> Goldens {
      let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Goldens/learning-rates.json")
      return try JSONDecoder().decode(Goldens.self, from: Data(contentsOf: file))
    }
  }

  @Test(arguments: [
    "exponential", "polynomial", "cosine", "cosine with restarts", "cosine with growing cycles", "step", "one cycle",
    "one cycle as fastai begins it",
  ])
  func everyStepHasTheRateOfTheOriginal(_ name: String) throws {
    let goldens = try Goldens.read()
    let golden = try #require(goldens.cases.first { $0.name == name })
    #expect(golden.values.count == goldens.total)
    for (step, expected) in golden.values.enumerated() {
      let found = golden.rate.value(step: step, of: goldens.total)
      // Keras computes rates in f32: 1e-7 of the peak.
      #expect(abs(found - expected) <= 1e-7 * golden.rate.peak + 1e-6 * expected, "step \(step)")
    }
  }

  @Test func aRateThatWaitsFallsWhenKerassCallbackLetsItFall() throws {
    let plateau = try Goldens.read().plateau
    var state = PlateauState()
    for (loss, expected) in zip(plateau.losses, plateau.values) {
      plateau.rate.note(loss, in: &state)
      let found = plateau.rate.value(step: 0, of: 1, plateau: state)
      #expect(abs(found - expected) <= 1e-6 * expected)
    }
    #expect(state.reductionCount > 2)
  }
}
