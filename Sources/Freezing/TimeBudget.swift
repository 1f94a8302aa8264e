/// How long something may take by the clock on the wall: `10 min`, `1 h 30 min`.
public struct TimeBudget: Hashable, Sendable {
  /// The time in seconds.
  public var seconds: Double

  /// So many seconds.
  public init(seconds: Double) { self.seconds = seconds }

  private static let units: [(name: String, seconds: Double)] = [("h", 3600), ("min", 60), ("s", 1)]

  /// Reads numbers with the units `h`, `min` and `s`.
  ///
  /// - Throws: `ScheduleError.Code.syntax`.
  public init(_ text: String) throws(ScheduleError) {
    let wrong = ScheduleError(
      .syntax, subject: "budget \(text.prefix(40))", detail: "expected a time such as 10 min, 90 s or 1 h 30 min")
    var rest = text.drop(while: \.isWhitespace)
    var sum = 0.0
    guard !rest.isEmpty else { throw wrong }
    while !rest.isEmpty {
      let digits = rest.prefix { ("0"..."9").contains($0) || $0 == "." }
      rest = rest.dropFirst(digits.count).drop(while: \.isWhitespace)
      let letters = rest.prefix(while: \.isLetter)
      rest = rest.dropFirst(letters.count).drop(while: \.isWhitespace)
      guard let number = Double(digits), let unit = Self.units.first(where: { $0.name == letters }) else { throw wrong }
      sum += number * unit.seconds
    }
    seconds = (sum * 1000).rounded() / 1000
    try validate(in: "budget \(text.prefix(40))")
  }

  /// Checks that there is any time, and not more than a year.
  func validate(in subject: String) throws(ScheduleError) {
    guard seconds > 0, seconds <= 8784 * 3600 else {
      throw ScheduleError(.invalidOption, subject: subject, detail: "budget must be more than 0 and at most a year")
    }
  }
}

extension TimeBudget: CustomStringConvertible {
  /// The time in the largest units that say it whole.
  public var description: String {
    guard (0...8784 * 3600).contains(seconds) else { return "\(seconds) s" }
    var rest = (seconds * 1000).rounded() / 1000
    var parts: [String] = []
    for (name, size) in Self.units.dropLast() where rest >= size {
      let count = (rest / size).rounded(.down)
      parts.append("\(Int(count)) \(name)")
      rest -= count * size
    }
    rest = (rest * 1000).rounded() / 1000
    if rest > 0 || parts.isEmpty { parts.append(rest == rest.rounded() ? "\(Int(rest)) s" : "\(rest) s") }
    return parts.joined(separator: " ")
  }
}

extension TimeBudget: Codable {
  /// Reads the time from its text.
  public init(from decoder: any Decoder) throws {
    guard let text = try? decoder.singleValueContainer().decode(String.self) else {
      throw ScheduleError(.syntax, subject: "budget", detail: "expected a time such as 10 min, 90 s or 1 h 30 min")
    }
    try self.init(text)
  }

  /// Writes the time as a text.
  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    try value.encode(description)
  }
}
