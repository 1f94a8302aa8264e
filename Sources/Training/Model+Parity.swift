import Engine
import Models

/// How far a model's outputs are from those that its file promises.
public struct ParityReport: Hashable, Sendable, Codable {
  /// max|a − b| over all outputs.
  public var deviation: Double
  /// The largest promised output.
  public var largest: Double

  /// What may deviate: rounding differs between processors.
  public static let tolerance = 1e-4

  /// Whether the outputs are those that were promised.
  public var isKept: Bool { deviation <= ParityReport.tolerance * largest }
}

extension Model {
  /// The same model with a parity sample in its document; a model without a document stays without.
  @EngineActor package func withParity(seed: UInt64) throws(EngineError) -> Model {
    var result = self
    let outputs = try Predictor(self).outputs(for: parityInput(seed: seed))[0]
    result.document?.parity = ModelDocument.Parity(seed: seed, outputs: outputs)
    return result
  }

  /// Replays the parity sample; nil where the model has none.
  @EngineActor package func parityReport() throws(EngineError) -> ParityReport? {
    guard let parity = document?.parity else { return nil }
    let outputs = try Predictor(self).outputs(for: parityInput(seed: parity.seed))[0]
    guard outputs.map(\.count) == parity.outputs.map(\.count) else {
      return ParityReport(deviation: .infinity, largest: 1)
    }
    var report = ParityReport(deviation: 0, largest: 0)
    for (found, promised) in zip(outputs.joined(), parity.outputs.joined()) {
      let deviation = abs(Double(found) - Double(promised))
      // NaN compares false with everything, and must not pass for equal.
      report.deviation = deviation.isNaN ? .infinity : max(report.deviation, deviation)
      report.largest = max(report.largest, abs(Double(promised)))
    }
    return report
  }
}
