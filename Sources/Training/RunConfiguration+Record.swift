import Digests
import Engine
import Foundation

/// What a run has decided by measuring or by the clock, so that whoever runs it again decides the same.
public struct RunRecord: Hashable, Sendable, Codable {
  /// What one phase has decided.
  public struct Phase: Hashable, Sendable, Codable {
    /// The phase's name.
    public var name: String
    /// How many samples go through what trains at once.
    public var microBatchSize: Int
    /// The stages that were chosen by their gradients, where the phase wants that.
    public var chosen: [String]?
    /// How the clock has dealt with the phase, where its time is bounded; nil before its end.
    public var timed: Timed?
  }

  /// What the clock has done to a phase.
  public struct Timed: Hashable, Sendable, Codable {
    /// How many steps the phase took.
    public var steps: Int
    /// Whether it would have gone on otherwise.
    public var isCut: Bool
  }

  /// The version of graft.
  public var version: String
  /// What everything was computed with.
  public var engine: EngineDescription
  /// What each phase has decided, in their order.
  public var phases: [Phase]

  /// What a phase has decided; nil where nothing is recorded for one of this name at this place.
  func phase(named name: String, at index: Int) -> Phase? {
    phases.indices.contains(index) && phases[index].name == name ? phases[index] : nil
  }
}

extension RunConfiguration {
  /// A SHA-256 over everything that somebody chose; what the run decided itself, and how often it is kept, do not count.
  func digest() throws(TrainingError) -> String {
    var chosen = self
    chosen.record = nil
    chosen.options.checkpointEvery = nil
    do {
      var digest = Digest()
      digest.update(try JSONEncoder.ofCheckpoints.encode(chosen))
      return digest.hexadecimal
    } catch {
      throw TrainingError(.invalidOption, subject: "configuration", detail: "cannot be written: \(error)")
    }
  }
}

extension TrainingData {
  /// A SHA-256 over every sample's labels and the division of the samples.
  func digest() -> String {
    var digest = Digest()
    for numbers in labels.labels + [training, validation, test].map({ $0.map { Int32(truncatingIfNeeded: $0) } }) {
      withUnsafeBytes(of: UInt64(numbers.count).littleEndian) { digest.update($0) }
      for number in numbers { withUnsafeBytes(of: number.littleEndian) { digest.update($0) } }
    }
    return digest.hexadecimal
  }
}
