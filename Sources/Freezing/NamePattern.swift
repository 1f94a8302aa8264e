/// A regular expression for names of layers and parameters.
///
/// It knows literals, `.`, `[a-z]`, `[^a-z]`, `\d`, `\w`, `\s` and their opposites, `\b`, `^`, `$`, groups, `|`, `*`, `+`,
/// `?` and `{n,m}`. What it finds stands anywhere in a name unless `^` or `$` says otherwise. There are no references back
/// and no looking around, and therefore no pattern that takes long: the time is that of the pattern's length times the
/// name's. Thompson, 1968.
public struct NamePattern: Sendable {
  /// The expression as it was written, without the slashes around it.
  public let source: String
  private let program: [Instruction]

  /// One step of the machine that looks for the expression.
  enum Instruction: Hashable, Sendable {
    /// One character out of a set, then the next instruction.
    case consume(CharacterSet)
    /// Both of two instructions.
    case fork(Int, Int)
    /// Another instruction.
    case jump(Int)
    /// The next instruction, where this holds.
    case check(Condition)
    /// The expression was found.
    case found
  }

  /// What may have to hold between two characters.
  enum Condition: Hashable, Sendable {
    case isStart
    case isEnd
    case isWordBoundary(Bool)
  }

  /// The expression of a text.
  ///
  /// - Throws: `ScheduleError.Code.syntax` where it is none, or one of more than a thousand steps, and for an empty one,
  ///   which stands in every name.
  public init(_ source: String) throws(ScheduleError) {
    self.source = source.withoutEscapedSlashes
    program = try PatternCompiler.program(of: self.source)
  }

  /// Whether the expression stands anywhere in a name.
  public func matches(_ name: String) -> Bool {
    let scalars = Array(name.unicodeScalars)
    var present = Threads(count: program.count)
    var next = present
    for position in 0...scalars.count {
      if follow(0, in: scalars, at: position, &present) { return true }
      guard position < scalars.count else { break }
      next.removeAll()
      for instruction in present.waiting {
        guard case .consume(let set) = program[instruction], set.contains(scalars[position]) else { continue }
        if follow(instruction + 1, in: scalars, at: position + 1, &next) { return true }
      }
      swap(&present, &next)
    }
    return false
  }

  /// Adds an instruction, and everything that it leads to without consuming a character.
  ///
  /// - Returns: Whether the expression was found.
  private func follow(_ first: Int, in scalars: [Unicode.Scalar], at position: Int, _ threads: inout Threads) -> Bool {
    var open = [first]
    while let instruction = open.popLast() {
      guard threads.see(instruction) else { continue }
      switch program[instruction] {
      case .consume: threads.waiting.append(instruction)
      case .fork(let one, let other): open += [one, other]
      case .jump(let target): open.append(target)
      case .check(let condition): if condition.holds(in: scalars, at: position) { open.append(instruction + 1) }
      case .found: return true
      }
    }
    return false
  }

  /// Where in the program the search stands at one position of a name.
  private struct Threads {
    var waiting: [Int] = []
    private var isSeen: [Bool]

    init(count: Int) { isSeen = Array(repeating: false, count: count) }

    mutating func see(_ instruction: Int) -> Bool {
      defer { isSeen[instruction] = true }
      return !isSeen[instruction]
    }

    mutating func removeAll() {
      waiting.removeAll(keepingCapacity: true)
      for index in isSeen.indices { isSeen[index] = false }
    }
  }
}

extension NamePattern: Hashable {
  /// Whether both are written alike.
  public static func == (left: NamePattern, right: NamePattern) -> Bool { left.source == right.source }

  /// Feeds the expression to the hasher.
  public func hash(into hasher: inout Hasher) { hasher.combine(source) }
}

extension NamePattern: CustomStringConvertible {
  /// The expression between slashes, those inside of it with a backslash before them.
  public var description: String {
    var result = "/"
    var isEscaped = false
    for character in source {
      if character == "/", !isEscaped { result.append("\\") }
      isEscaped = character == "\\" && !isEscaped
      result.append(character)
    }
    return result + "/"
  }
}

extension NamePattern.Condition {
  fileprivate func holds(in scalars: [Unicode.Scalar], at position: Int) -> Bool {
    switch self {
    case .isStart: return position == 0
    case .isEnd: return position == scalars.count
    case .isWordBoundary(let wanted):
      let before = position > 0 && NamePattern.CharacterSet.word.contains(scalars[position - 1])
      let after = position < scalars.count && NamePattern.CharacterSet.word.contains(scalars[position])
      return (before != after) == wanted
    }
  }
}

extension NamePattern {
  /// Characters that may stand at one place.
  struct CharacterSet: Hashable, Sendable {
    /// The characters, or those that are meant by none of these.
    var ranges: [ClosedRange<UInt32>]
    /// Sets whose characters belong to this one too.
    var others: [CharacterSet] = []
    /// Whether all other characters are meant.
    var isInverted = false

    static let digit = CharacterSet("0"..."9")
    static let space = CharacterSet(ranges: [0x20...0x20, 0x9...0xd])
    static let word = CharacterSet(
      ranges: [("0", "9"), ("A", "Z"), ("a", "z"), ("_", "_")].map { (low: Unicode.Scalar, high: Unicode.Scalar) in
        low.value...high.value
      })
    static let any = CharacterSet(ranges: [], isInverted: true)

    init(ranges: [ClosedRange<UInt32>], others: [CharacterSet] = [], isInverted: Bool = false) {
      self.ranges = ranges
      self.others = others
      self.isInverted = isInverted
    }

    init(_ range: ClosedRange<Unicode.Scalar>) { self.init(ranges: [range.lowerBound.value...range.upperBound.value]) }

    var inverted: CharacterSet { CharacterSet(ranges: ranges, others: others, isInverted: !isInverted) }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
      let isNamed = ranges.contains { $0.contains(scalar.value) } || others.contains { $0.contains(scalar) }
      return isNamed != isInverted
    }
  }
}

extension String {
  /// The same expression: what stands between slashes has to hide its own.
  fileprivate var withoutEscapedSlashes: String {
    var result = ""
    var rest = self[...]
    while let character = rest.popFirst() {
      guard character == "\\", let escaped = rest.popFirst() else {
        result.append(character)
        continue
      }
      result += escaped == "/" ? "/" : "\\\(escaped)"
    }
    return result
  }
}
