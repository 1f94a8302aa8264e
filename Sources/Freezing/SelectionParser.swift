/// Reads `operand { (" + " | " - " | " & ") operand }` from left to right.
struct SelectionParser {
  /// What a selection may look like, for whoever wrote something else.
  static let forms =
    "all, none, head, trunk, bias, normalization, stage:NAME, stages:last N, stages:NAME..NAME, layer:NAME, "
    + "layer:/PATTERN/, layers:last N, from:LAYER, parameter:/PATTERN/ or kind:NAME"

  private static let words: [Substring: ParameterSelection] = [
    "all": .all, "none": .none, "head": .head, "trunk": .trunk, "bias": .bias, "normalization": .normalization,
  ]
  /// More than anybody writes; reading a selection goes as deep as its parentheses, and forgetting it as its operators.
  private static let mostOperands = 1000
  private static let mostParentheses = 64

  private let text: String
  private var rest: Substring
  private var operandCount = 0

  init(_ text: String) {
    self.text = text
    rest = text[...]
  }

  mutating func parse() throws(ScheduleError) -> ParameterSelection {
    let result = try sum(depth: 0)
    skipSpaces()
    guard rest.isEmpty else { throw unexpected("expected +, - or & with spaces around it") }
    return result
  }

  private mutating func sum(depth: Int) throws(ScheduleError) -> ParameterSelection {
    guard depth < Self.mostParentheses else {
      throw unexpected("more than \(Self.mostParentheses) parentheses inside each other")
    }
    var result = try operand(depth: depth)
    while true {
      skipSpaces()
      if take("+ ") {
        result = result + (try operand(depth: depth))
      } else if take("- ") {
        result = result - (try operand(depth: depth))
      } else if take("& ") {
        result = result & (try operand(depth: depth))
      } else {
        return result
      }
    }
  }

  private mutating func operand(depth: Int) throws(ScheduleError) -> ParameterSelection {
    operandCount += 1
    guard operandCount <= Self.mostOperands else { throw unexpected("more than \(Self.mostOperands) operands") }
    skipSpaces()
    if take("(") {
      let inner = try sum(depth: depth + 1)
      skipSpaces()
      guard take(")") else { throw unexpected("expected a closing parenthesis") }
      return inner
    }
    if take("stages:last ") { return .stages(last: try count(of: "stages")) }
    if take("stages:") {
      let first = try name(endsAtDots: true)
      guard take("..") else { throw unexpected("expected last N, or two stages as in stage1..stage3") }
      return .stageRange(from: first, through: try name(endsAtDots: true))
    }
    if take("stage:") { return .stage(try name()) }
    if take("layers:last ") { return .layers(last: try count(of: "layers")) }
    if take("layer:") { return rest.first == "/" ? .layersMatching(try pattern()) : .layer(try name()) }
    if take("from:") { return .from(layer: try name()) }
    if take("parameter:") { return .parametersMatching(try pattern()) }
    if take("kind:") { return .kind(try name()) }
    let word = rest.prefix { $0.isLetter }
    guard let selection = Self.words[word] else { throw unexpected("expected \(Self.forms)") }
    rest.removeFirst(word.count)
    return selection
  }

  private mutating func count(of things: String) throws(ScheduleError) -> Int {
    skipSpaces()
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int(digits), count > 0 else { throw unexpected("expected a number of \(things)") }
    rest.removeFirst(digits.count)
    return count
  }

  private mutating func pattern() throws(ScheduleError) -> NamePattern {
    guard take("/") else { throw unexpected("expected a pattern between slashes") }
    var source = ""
    while let character = rest.popFirst() {
      if character == "/" { return try NamePattern(source) }
      source.append(character)
      if character == "\\", let escaped = rest.popFirst() { source.append(escaped) }
    }
    throw unexpected("expected a closing slash")
  }

  private mutating func name(endsAtDots: Bool = false) throws(ScheduleError) -> String {
    guard take("\"") else {
      var plain = rest.prefix { !$0.isWhitespace && $0 != ")" && $0 != "\"" && $0 != "(" }
      if endsAtDots, let dots = plain.firstRange(of: "..") { plain = plain[..<dots.lowerBound] }
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
    return ScheduleError(.syntax, subject: "selection \"\(text.prefix(200))\"", detail: "\(expected), found \(found)")
  }
}
