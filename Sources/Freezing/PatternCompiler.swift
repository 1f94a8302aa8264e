/// Reads a regular expression and turns it into the program that looks for it.
struct PatternCompiler {
  private typealias CharacterSet = NamePattern.CharacterSet

  /// A part of an expression.
  private indirect enum Part {
    case characters(CharacterSet)
    case condition(NamePattern.Condition)
    case sequence([Part])
    case choice([Part])
    case repetition(Part, least: Int, most: Int?)
  }

  /// Steps that a program may have: what a person writes has a tenth of it.
  private static let mostSteps = 1000
  private static let mostGroups = 50
  private static let mostCharacters = 500

  private let source: String
  private var rest: Substring.UnicodeScalarView
  private var program: [NamePattern.Instruction] = []
  private var emittedCount = 0

  /// The program of an expression.
  static func program(of source: String) throws(ScheduleError) -> [NamePattern.Instruction] {
    var compiler = PatternCompiler(source)
    guard !source.isEmpty else { throw compiler.failure("has no characters, so it would match every name") }
    guard compiler.rest.count <= mostCharacters else {
      throw compiler.failure("has more than \(mostCharacters) characters")
    }
    let whole = try compiler.choice(depth: 0)
    guard compiler.rest.isEmpty else { throw compiler.failure("a parenthesis closes that was never opened") }
    try compiler.emit(whole)
    return compiler.program + [.found]
  }

  private init(_ source: String) {
    self.source = source
    rest = source[...].unicodeScalars
  }

  private func failure(_ detail: String) -> ScheduleError {
    ScheduleError(.syntax, subject: "pattern /\(source.prefix(100))/", detail: detail)
  }
}

// MARK: - Reading

extension PatternCompiler {
  private mutating func choice(depth: Int) throws(ScheduleError) -> Part {
    guard depth < Self.mostGroups else { throw failure("more than \(Self.mostGroups) groups inside each other") }
    var parts = [try sequence(depth: depth)]
    while take("|") { parts.append(try sequence(depth: depth)) }
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  private mutating func sequence(depth: Int) throws(ScheduleError) -> Part {
    var parts: [Part] = []
    while let next = rest.first, next != "|", next != ")" { parts.append(try repeated(try atom(depth: depth))) }
    return .sequence(parts)
  }

  private mutating func repeated(_ part: Part) throws(ScheduleError) -> Part {
    var result = part
    while true {
      if take("*") {
        result = .repetition(result, least: 0, most: nil)
      } else if take("+") {
        result = .repetition(result, least: 1, most: nil)
      } else if take("?") {
        result = .repetition(result, least: 0, most: 1)
      } else if rest.first == "{" {
        result = try counted(result)
      } else {
        return result
      }
    }
  }

  private mutating func counted(_ part: Part) throws(ScheduleError) -> Part {
    rest.removeFirst()
    let wrong = failure("expected {n}, {n,} or {n,m} with numbers up to 100; a plain brace is \\{")
    func checked(_ number: Int?) throws(ScheduleError) -> Int {
      guard let number, number <= 100 else { throw wrong }
      return number
    }
    let least = try checked(number())
    var most: Int? = least
    if take(",") { most = rest.first == "}" ? nil : try checked(number()) }
    guard take("}"), most.map({ $0 >= least }) ?? true else { throw wrong }
    return .repetition(part, least: least, most: most)
  }

  private mutating func number() -> Int? {
    let digits = rest.prefix { ("0"..."9").contains($0) }
    rest.removeFirst(digits.count)
    return Int(String(digits))
  }

  private mutating func atom(depth: Int) throws(ScheduleError) -> Part {
    guard let character = rest.popFirst() else { throw failure("ends too early") }
    switch character {
    case "(":
      if take("?"), !take(":") { throw failure("looks around with (?, which patterns of names do not know") }
      let inner = try choice(depth: depth + 1)
      guard take(")") else { throw failure("a parenthesis is never closed") }
      return inner
    case "[": return .characters(try bracketed())
    case ".": return .characters(.any)
    case "^": return .condition(.isStart)
    case "$": return .condition(.isEnd)
    case "\\":
      if take("b") { return .condition(.isWordBoundary(true)) }
      if take("B") { return .condition(.isWordBoundary(false)) }
      return .characters(try escaped())
    case "*", "+", "?", "{":
      throw failure("\(character) has nothing before it to repeat; a plain one is \\\(character)")
    default: return .characters(CharacterSet(character...character))
    }
  }

  /// What a backslash has begun.
  private mutating func escaped() throws(ScheduleError) -> CharacterSet {
    guard let character = rest.popFirst() else { throw failure("a backslash stands at the end") }
    switch character {
    case "d": return .digit
    case "D": return .digit.inverted
    case "w": return .word
    case "W": return .word.inverted
    case "s": return .space
    case "S": return .space.inverted
    default:
      guard !CharacterSet.word.contains(character) || character == "_" else {
        throw failure("\\\(character) means nothing here")
      }
      return CharacterSet(character...character)
    }
  }

  /// What a square bracket has begun.
  private mutating func bracketed() throws(ScheduleError) -> CharacterSet {
    var set = CharacterSet(ranges: [], isInverted: take("^"))
    while let character = rest.popFirst() {
      if character == "]" {
        guard !set.ranges.isEmpty || !set.others.isEmpty else { throw failure("a set [] has no characters") }
        return set
      }
      let first = character == "\\" ? try escaped() : CharacterSet(character...character)
      guard let low = first.only, rest.first == "-", rest.dropFirst().first != "]" else {
        set.others.append(first)
        continue
      }
      rest.removeFirst()
      guard let end = rest.popFirst() else { break }
      let last = end == "\\" ? try escaped() : CharacterSet(end...end)
      guard let high = last.only, low <= high else { throw failure("a set has a range whose end is before its start") }
      set.ranges.append(low...high)
    }
    throw failure("a set is never closed by ]")
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == character else { return false }
    rest.removeFirst()
    return true
  }
}

// MARK: - Writing the program

extension PatternCompiler {
  private mutating func emit(_ part: Part) throws(ScheduleError) {
    emittedCount += 1
    guard emittedCount <= Self.mostSteps, program.count <= Self.mostSteps else {
      throw failure("takes more than \(Self.mostSteps) steps with all its repetitions")
    }
    switch part {
    case .characters(let set): program.append(.consume(set))
    case .condition(let condition): program.append(.check(condition))
    case .sequence(let parts): for part in parts { try emit(part) }
    case .choice(let parts):
      var jumps: [Int] = []
      for (index, part) in parts.enumerated() {
        let fork = program.count
        if index < parts.count - 1 { program.append(.jump(0)) }
        try emit(part)
        guard index < parts.count - 1 else { break }
        jumps.append(program.count)
        program.append(.jump(0))
        program[fork] = .fork(fork + 1, program.count)
      }
      for jump in jumps { program[jump] = .jump(program.count) }
    case .repetition(let part, let least, let most):
      for _ in 0..<least { try emit(part) }
      guard let most else {
        let fork = program.count
        program.append(.jump(0))
        try emit(part)
        program.append(.jump(fork))
        program[fork] = .fork(fork + 1, program.count)
        return
      }
      var forks: [Int] = []
      for _ in least..<most {
        forks.append(program.count)
        program.append(.jump(0))
        try emit(part)
      }
      for fork in forks { program[fork] = .fork(fork + 1, program.count) }
    }
  }
}

extension NamePattern.CharacterSet {
  /// The character, where there is exactly one.
  fileprivate var only: UInt32? {
    guard ranges.count == 1, others.isEmpty, !isInverted, ranges[0].count == 1 else { return nil }
    return ranges[0].lowerBound
  }
}
