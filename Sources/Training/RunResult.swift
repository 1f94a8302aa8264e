import Foundation
import Models
import Tasks

/// What came out of a run: `result.json`.
public struct RunResult: Hashable, Sendable, Codable {
  /// The finished model's file.
  public var model: String
  /// How long everything took, from the first picture to the model file.
  public var seconds: Double
  /// What each phase has done.
  public var phases: [PhaseReport]
  /// Each task's metrics on the validation samples; where the schedule fits again, before it did so on those too.
  public var validation: [String: ClassificationMetrics]
  /// Each task's metrics on the test samples; empty where there are none.
  public var test: [String: ClassificationMetrics]
  /// The most memory that the process has had at once.
  public var peakResidentBytes: Int
  /// What every random draw came from.
  public var seed: UInt64
  /// What became of the weights of the backbone's file; nil where there was none.
  public var loading: LoadingSummary?

  /// The result as JSON, its keys in alphabetical order.
  public func json() throws(TrainingError) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      return try encoder.encode(self)
    } catch {
      throw TrainingError(.diverged, subject: "result", detail: "holds a number that JSON cannot say: \(error)")
    }
  }
}

/// The most memory that this process has had at once, in bytes.
package func peakResidentBytes() -> Int {
  var usage = rusage()
  // RUSAGE_SELF, which C libraries import as values of different types.
  getrusage(0, &usage)
  #if canImport(Darwin)
    return usage.ru_maxrss
  #else
    return usage.ru_maxrss * 1024
  #endif
}
