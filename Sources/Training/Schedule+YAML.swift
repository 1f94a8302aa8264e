import Foundation
import Freezing
import Yams

extension Schedule {
  /// The schedule as YAML, as a person would write it: a line for each option of a phase.
  ///
  /// - Parameter comments: Whether a line before each phase says what it does.
  /// - Throws: ``TrainingError`` with code `invalidOption` for numbers that the form cannot hold.
  public func yaml(comments: Bool = false) throws(TrainingError) -> String {
    let text: String
    do {
      // Yams rounds numbers to 15 digits; JSON keeps them, and is YAML already: only the style has to change.
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.withoutEscapingSlashes]
      guard let node = try compose(yaml: String(decoding: try encoder.encode(self), as: UTF8.self)) else { return "" }
      text = try serialize(node: node.inScheduleStyle(depth: 0), width: -1, allowUnicode: true)
    } catch {
      throw TrainingError(.invalidOption, subject: "schedule", detail: "cannot be written as YAML: \(error)")
    }
    guard comments else { return text }
    var summaries = phases.map(\.summary)[...]
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line in
      guard line.hasPrefix("- "), let summary = summaries.popFirst() else { return [String(line)] }
      return summary.wrapped(to: 118).map { "# \($0)" } + [String(line)]
    }
    return lines.joined(separator: "\n")
  }

  /// Reads a schedule's file.
  ///
  /// - Throws: ``TrainingError`` with code `invalidOption` where it cannot be read or its text breaks the form.
  public init(contentsOf path: String) throws(TrainingError) {
    try self.init(yaml: readText(at: path, expecting: "a schedule", atMost: 1 << 20), name: path)
  }

  /// Reads a schedule.
  ///
  /// - Parameter name: The file, for messages.
  /// - Throws: ``TrainingError`` with code `invalidOption` saying where the text breaks the form.
  public init(yaml: String, name: String) throws(TrainingError) {
    do {
      self = try YAMLDecoder().decode(Schedule.self, from: yaml)
    } catch let error as ScheduleError {
      throw TrainingError(.invalidOption, subject: name, detail: error.description)
    } catch let error as DecodingError {
      throw TrainingError(.invalidOption, subject: name, detail: error.sentence())
    } catch {
      // Yams shows the line, however long it is.
      throw TrainingError(.invalidOption, subject: name, detail: String("\(error)".prefix(200)))
    }
  }
}

extension String {
  /// Lines of at most so many characters, cut at spaces; a longer word has a line of its own.
  fileprivate func wrapped(to width: Int) -> [String] {
    var lines = [""]
    for word in split(separator: " ") {
      let line = lines[lines.count - 1]
      if line.isEmpty {
        lines[lines.count - 1] = String(word)
      } else if line.count + 1 + word.count <= width {
        lines[lines.count - 1] += " \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}

extension Node {
  /// The options in the order in which one thinks of them.
  private static let keys = [
    "phases", "name", "train", "choose", "epochs", "steps", "until", "budget", "learningRate", "rateUnit",
    "multipliers", "optimizer", "optimizerState", "clipping", "batchNormalization", "freezeSettled", "restore",
    "refit", "regularization", "average", "peak", "warmUp", "factor", "at", "start", "power", "final", "period",
    "growth", "metric", "patience", "minimumDelta", "minimum", "target",
  ]

  /// The same with a line for each option of the schedule and of its phases, and whatever stands in one in braces.
  ///
  /// - Parameter depth: 0 for the schedule, 1 for its options, 2 for a phase.
  fileprivate func inScheduleStyle(depth: Int) -> Node {
    switch self {
    case .mapping(let mapping):
      let pairs = mapping.map { key, value in
        (key, value.inScheduleStyle(depth: depth + 1).writtenPlain(under: key.string ?? ""))
      }
      let sorted = pairs.sorted { ($0.0.place, $0.0.string ?? "") < ($1.0.place, $1.0.string ?? "") }
      let isOfLines = depth == 0 || depth == 2
      return .mapping(Mapping(sorted.map { ($0.0.inBlockStyle, $0.1) }, mapping.tag, isOfLines ? .block : .flow))
    case .sequence(let sequence):
      let elements = sequence.map { $0.inScheduleStyle(depth: depth + 1) }
      return .sequence(Sequence(elements, sequence.tag, depth == 1 ? .block : .flow))
    case .scalar, .alias: return inBlockStyle
    }
  }

  private var place: Int { Node.keys.firstIndex(of: string ?? "") ?? Node.keys.count }

  /// Without quotes where the form needs none: a selection has no colon before a space, and a time ends in a unit.
  private func writtenPlain(under key: String) -> Node {
    guard case .scalar(var scalar) = self else { return self }
    let text = scalar.string
    let isSelection =
      key == "train" && !text.contains(": ") && !text.hasSuffix(":")
      && text.filter { !":&^$".contains($0) }.isPlainInYAML
    if isSelection || key == "budget" { scalar.style = .plain }
    return .scalar(scalar)
  }
}
