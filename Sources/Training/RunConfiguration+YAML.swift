import Foundation
import Freezing
import Graphs
import Yams

extension RunConfiguration {
  /// The configuration as YAML.
  ///
  /// Every number has as many digits as tell it from all others, so that reading it again repeats the run to the bit.
  ///
  /// - Throws: ``TrainingError`` with code `invalidOption` for numbers that the form cannot hold.
  public func yaml() throws(TrainingError) -> String {
    do {
      // Yams rounds numbers to 15 digits; JSON keeps them, and is YAML already: only the style has to change.
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.withoutEscapingSlashes]
      let json = String(decoding: try encoder.encode(self), as: UTF8.self)
      guard let node = try compose(yaml: json) else { return "" }
      return try serialize(node: node.inBlockStyle, width: -1, allowUnicode: true)
    } catch EncodingError.invalidValue(let value, let context) {
      let place = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
      throw TrainingError(.invalidOption, subject: place, detail: "is \(value), which is no number to compute with")
    } catch {
      throw TrainingError(.invalidOption, subject: "configuration", detail: "cannot be written as YAML: \(error)")
    }
  }

  /// Reads a configuration's file.
  ///
  /// - Throws: ``TrainingError`` with code `invalidOption` where it cannot be read or its text breaks the form.
  public init(contentsOf path: String) throws(TrainingError) {
    // No run writes more than 16 MiB.
    try self.init(yaml: readText(at: path, expecting: "the run.yaml of a run", atMost: 1 << 24), name: path)
  }

  /// Reads a configuration.
  ///
  /// - Parameter name: The file, for messages.
  /// - Throws: ``TrainingError`` with code `invalidOption` saying where the text breaks the form.
  public init(yaml: String, name: String) throws(TrainingError) {
    do {
      self = try YAMLDecoder().decode(RunConfiguration.self, from: yaml)
      // What was read is written again: a key that is not there then is one that nothing was made of.
      if let given = try compose(yaml: yaml), let known = try compose(yaml: self.yaml()) {
        try given.check(against: known, at: [], in: name)
      }
    } catch let error as TrainingError {
      throw error.subject == name
        ? error : TrainingError(error.code, subject: name, detail: "\(error.subject) \(error.detail)")
    } catch let error as DecodingError {
      throw TrainingError(.invalidOption, subject: name, detail: error.sentence())
    } catch {
      // Yams shows the line, however long it is.
      throw TrainingError(.invalidOption, subject: name, detail: String("\(error)".prefix(200)))
    }
    guard version == 1 else {
      throw TrainingError(.invalidOption, subject: name, detail: "expected version 1, found \(version)")
    }
  }
}

extension Node {
  /// The same in the form that people write: a line for each value, names without quotes where that is safe.
  var inBlockStyle: Node {
    switch self {
    case .mapping(let mapping):
      let pairs = mapping.map { ($0.key.inBlockStyle, $0.value.inBlockStyle) }
      return .mapping(Mapping(pairs.sorted { $0.0.rank < $1.0.rank }, mapping.tag, .block))
    case .sequence(let sequence):
      let isShort = sequence.allSatisfy { $0.scalar != nil } && sequence.reduce(0) { $0 + ($1.string?.count ?? 0) } < 60
      return .sequence(Sequence(sequence.map(\.inBlockStyle), sequence.tag, isShort ? .flow : .block))
    case .scalar(var scalar):
      if scalar.style == .doubleQuoted, scalar.string.isPlainInYAML { scalar.style = .plain }
      return .scalar(scalar)
    case .alias: return self
    }
  }

  /// Refuses keys that are not known: in a file that was changed by hand they are misspelt options.
  fileprivate func check(against known: Node, at path: [String], in name: String) throws(TrainingError) {
    switch (self, known) {
    case (.mapping(let given), .mapping(let all)):
      for (key, value) in given {
        let word = key.string ?? ""
        // A schedule checks itself, and leaves out what is as usual.
        if path.isEmpty && word == "schedule" { continue }
        guard let own = all[key] else {
          if value.null != nil { continue }
          let near = all.keys.compactMap(\.string).nearest(to: word).joined(separator: ", ")
          throw TrainingError(
            .invalidOption, subject: name,
            detail: "there is no option \((path + [word]).joined(separator: ".")); the nearest are \(near)")
        }
        try value.check(against: own, at: path + [word], in: name)
      }
    case (.sequence(let given), .sequence(let all)):
      for (index, pair) in zip(given, all).enumerated() {
        try pair.0.check(against: pair.1, at: path + ["\(index)"], in: name)
      }
    default: break
    }
  }

  /// What names a thing comes first, then everything in alphabetical order.
  private var rank: String {
    let key = string ?? ""
    return (["version", "name", "path", "source"].firstIndex(of: key).map(String.init) ?? "9") + key
  }
}

extension String {
  /// Whether YAML reads the text as itself without quotes: a word that is neither a number nor a truth value.
  var isPlainInYAML: Bool {
    let reserved: Set<String> = ["y", "n", "yes", "no", "true", "false", "on", "off", "null"]
    guard let first = unicodeScalars.first, first.isASCII, first.properties.isAlphabetic else { return false }
    return !reserved.contains(lowercased()) && last != " "
      && unicodeScalars.allSatisfy { $0.isASCII && ($0.properties.isAlphabetic || plainMarks.contains($0)) }
  }
}

/// What may stand inside of a word without quotes.
private let plainMarks = Set("0123456789 _-./+".unicodeScalars)
