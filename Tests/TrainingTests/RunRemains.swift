import Foundation
import Testing
import TinyRuns
import Training

/// What a finished run leaves, without what a clock has measured: equal for two runs that did the same.
struct RunRemains: Equatable {
  /// The bytes of the model.
  var model: Data
  /// The bytes of `run.yaml`.
  var configuration: String
  /// The lines of `events.jsonl`.
  var events: [String]
  /// The result.
  var result: String
  /// The last checkpoint.
  var checkpoint: Checkpoint

  /// Reads the folder of a run that `run` describes.
  init(of folder: String, _ run: DrawnRun) throws {
    func bytes(_ file: RunFolder.File) throws -> Data {
      try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file.rawValue)"))
    }
    model = try bytes(.model)
    configuration = String(decoding: try bytes(.configuration), as: UTF8.self)
    events = try String(decoding: bytes(.events), as: UTF8.self).split(separator: "\n").map { line in
      try Self.timeless(Data(line.utf8))
    }
    result = try Self.timeless(bytes(.result)).replacing(folder, with: "folder")
    checkpoint = try Checkpoint(
      readingFrom: "\(folder)/\(RunFolder.File.checkpoint.rawValue)", graph: run.model().logitsGraph())
    checkpoint.progress.forgetTimes()
    checkpoint.origin.eventByteCount = 0
  }

  /// A line of JSON without what a clock has measured.
  private static func timeless(_ bytes: Data) throws -> String {
    func cleaned(_ value: Any) -> Any {
      if let object = value as? [String: Any] {
        let times: Set = ["seconds", "secondsLeft", "imagesPerSecond", "peakResidentBytes"]
        return object.filter { !times.contains($0.key) }.mapValues(cleaned)
      }
      return (value as? [Any])?.map(cleaned) ?? value
    }
    let object = cleaned(try JSONSerialization.jsonObject(with: bytes))
    let text = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    return String(decoding: text, as: UTF8.self)
  }
}

extension RunProgress {
  /// Sets everything to zero that a clock has measured.
  mutating func forgetTimes() {
    seconds = 0
    phase.beginSeconds = 0
    phase.epochSeconds = 0
    phase.trainingSeconds = 0
    for index in reports.indices {
      reports[index].seconds = 0
      reports[index].imagesPerSecond = 0
    }
  }
}
