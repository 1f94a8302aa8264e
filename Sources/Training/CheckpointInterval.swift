/// How often a run writes a checkpoint.
public enum CheckpointInterval: Hashable, Sendable {
  /// As soon as so many seconds have passed, after the step that is under way.
  case seconds(Double)
  /// After so many steps.
  case steps(Int)

  /// Reads `30 s`, `5 min`, `1 h` or `200 steps`; the space may be missing.
  ///
  /// - Throws: ``TrainingError`` with code `invalidOption`.
  public init(parsing text: String) throws(TrainingError) {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(number.count).drop { $0 == " " }
    let seconds = ["s": 1.0, "min": 60, "h": 3600][unit].flatMap { factor in Double(number).map { $0 * factor } }
    if let seconds, seconds.isFinite {
      self = .seconds(seconds)
    } else if ["step", "steps"].contains(unit), let count = Int(number), (1...1 << 40).contains(count) {
      self = .steps(count)
    } else {
      throw TrainingError(
        .invalidOption, subject: "checkpointEvery",
        detail: "expected a time such as 30s, 5min or 1h, or a number of steps such as 200steps, found \"\(text)\"")
    }
  }
}

extension CheckpointInterval: CustomStringConvertible {
  /// What ``init(parsing:)`` reads.
  public var description: String {
    switch self {
    case .seconds(let count): "\(count) s"
    case .steps(let count): "\(count) steps"
    }
  }
}

extension CheckpointInterval: Codable {
  /// Reads a text.
  public init(from decoder: any Decoder) throws {
    try self.init(parsing: decoder.singleValueContainer().decode(String.self))
  }

  /// Writes a text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// Decides when a checkpoint is due, by the clock: what is computed does not depend on it.
///
/// The end of a phase always is a reason to write one. Where nobody asks for an interval, so is the end of an epoch, and a
/// minute inside of a longer one, as long as the last was written in less than a hundredth of the time since.
struct CheckpointPace {
  private let interval: CheckpointInterval?
  private var lastSeconds: Double
  private var lastStep: Int
  private var cost = 0.0

  /// A pace that begins where a run begins or goes on.
  init(_ interval: CheckpointInterval?, seconds: Double, step: Int) {
    self.interval = interval
    lastSeconds = seconds
    lastStep = step
  }

  /// Whether a checkpoint is to be written now.
  func isDue(at moment: RunMoment, seconds: Double, step: Int) -> Bool {
    let waited = seconds - lastSeconds
    return switch (moment, interval) {
    case (.decision, _): false
    case (.phase, _), (.interruption, _): true
    case (_, .seconds(let least)): waited >= least
    case (_, .steps(let least)): step - lastStep >= least
    case (.step, nil): waited >= max(60, cost * 100)
    case (.epoch, nil): waited >= cost * 100
    }
  }

  /// Takes note of a checkpoint that was written from one second to another.
  mutating func wrote(from begin: Double, to end: Double, step: Int) {
    cost = end - begin
    lastSeconds = end
    lastStep = step
  }
}
