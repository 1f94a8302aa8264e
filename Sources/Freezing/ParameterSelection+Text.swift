extension ParameterSelection: CustomStringConvertible {
  /// The selection as it is written in a schedule: `head + stages:last 2`.
  public var description: String {
    switch self {
    case .all: "all"
    case .none: "none"
    case .head: "head"
    case .trunk: "trunk"
    case .stages(let last): "stages:last \(last)"
    case .stage(let name): "stage:\(quoted(name))"
    case .layer(let name): "layer:\(quoted(name))"
    case .union(let left, let right): "\(left) + \(right.asOperand)"
    case .subtraction(let left, let right): "\(left) - \(right.asOperand)"
    }
  }

  /// With parentheses where it would otherwise be read as two operands.
  private var asOperand: String {
    switch self {
    case .union, .subtraction: "(\(self))"
    default: description
    }
  }

  /// Reads a selection.
  ///
  /// `all`, `none`, `head`, `trunk`, `stage:NAME`, `stages:last N` and `layer:NAME`, joined from left to right by ` + `
  /// and ` - ` with spaces around them, with parentheses where needed. A name with spaces, parentheses or quotes stands in
  /// double quotes, with a backslash before a quote or backslash inside.
  ///
  /// - Throws: `ScheduleError.Code.syntax` saying what was expected.
  public init(_ text: String) throws(ScheduleError) {
    var parser = SelectionParser(text)
    self = try parser.parse()
  }
}

extension ParameterSelection: Codable {
  /// Reads the selection from its text.
  public init(from decoder: any Decoder) throws {
    self = try ParameterSelection(decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the selection's text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

private func quoted(_ name: String) -> String {
  // A leading slash is kept free for patterns.
  let isSpecial = name.isEmpty || name.hasPrefix("/") || name.contains { $0.isWhitespace || "()\"\\".contains($0) }
  if !isSpecial { return name }
  let escaped = name.map { "\"\\".contains($0) ? "\\\($0)" : String($0) }.joined()
  return "\"\(escaped)\""
}

/// Reads `operand { (" + " | " - ") operand }` from left to right.
private struct SelectionParser {
  private let text: String
  private var rest: Substring

  init(_ text: String) {
    self.text = text
    rest = text[...]
  }

  mutating func parse() throws(ScheduleError) -> ParameterSelection {
    let result = try sum(depth: 0)
    skipSpaces()
    guard rest.isEmpty else { throw unexpected("expected + or - with spaces around it") }
    return result
  }

  private mutating func sum(depth: Int) throws(ScheduleError) -> ParameterSelection {
    guard depth < 64 else { throw unexpected("more than 64 parentheses inside each other") }
    var result = try operand(depth: depth)
    while true {
      skipSpaces()
      if take("+ ") {
        result = result + (try operand(depth: depth))
      } else if take("- ") {
        result = result - (try operand(depth: depth))
      } else {
        return result
      }
    }
  }

  private mutating func operand(depth: Int) throws(ScheduleError) -> ParameterSelection {
    skipSpaces()
    if take("(") {
      let inner = try sum(depth: depth + 1)
      skipSpaces()
      guard take(")") else { throw unexpected("expected a closing parenthesis") }
      return inner
    }
    if take("stages:last ") {
      skipSpaces()
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard let count = Int(digits), count > 0 else { throw unexpected("expected a number of stages") }
      rest.removeFirst(digits.count)
      return .stages(last: count)
    }
    if take("stage:") { return .stage(try name()) }
    if take("layer:") { return .layer(try name()) }
    let word = rest.prefix { $0.isLetter }
    let simple: [Substring: ParameterSelection] = ["all": .all, "none": .none, "head": .head, "trunk": .trunk]
    guard let selection = simple[word] else {
      throw unexpected("expected all, none, head, trunk, stage:NAME, stages:last N or layer:NAME")
    }
    rest.removeFirst(word.count)
    return selection
  }

  private mutating func name() throws(ScheduleError) -> String {
    guard take("\"") else {
      let plain = rest.prefix { !$0.isWhitespace && $0 != ")" && $0 != "\"" && $0 != "(" }
      guard !plain.isEmpty else { throw unexpected("expected a name") }
      rest.removeFirst(plain.count)
      return String(plain)
    }
    var result = ""
    while let character = rest.popFirst() {
      if character == "\"" { return result }
      guard character == "\\" else {
        result.append(character)
        continue
      }
      guard let escaped = rest.popFirst() else { break }
      result.append(escaped)
    }
    throw unexpected("expected a closing quote")
  }

  private mutating func skipSpaces() { rest = rest.drop { $0.isWhitespace } }

  private mutating func take(_ prefix: String) -> Bool {
    guard rest.hasPrefix(prefix) else { return false }
    rest.removeFirst(prefix.count)
    return true
  }

  private func unexpected(_ expected: String) -> ScheduleError {
    let found = rest.isEmpty ? "the end" : "\"\(rest.prefix(40))\""
    return ScheduleError(.syntax, subject: "selection \"\(text)\"", detail: "\(expected), found \(found)")
  }
}
