/// Which parameters train when, how fast, and until what happens: the plan of a whole run, as a value.
public struct Schedule: Hashable, Sendable {
  /// Which weights go on after a phase, and into the finished model after the last.
  public enum Restore: String, Hashable, Sendable, Codable {
    /// Those with the best validation loss in this phase or any before it, so that no phase can make things worse.
    case bestSoFar
    /// Those of the last step.
    case last
  }

  /// The phases in order; at least one.
  public var phases: [Phase]
  /// Which weights go on after a phase.
  public var restore: Restore

  /// A schedule; see `validate()` for what must hold.
  public init(phases: [Phase], restore: Restore = .bestSoFar) {
    self.phases = phases
    self.restore = restore
  }

  /// Checks every phase, that there is at least one, and that no two share a name.
  public func validate() throws(ScheduleError) {
    guard !phases.isEmpty else { throw ScheduleError(.invalidOption, subject: "schedule", detail: "has no phases") }
    var seen: Set<String> = []
    for phase in phases {
      try phase.validate()
      guard seen.insert(phase.name).inserted else {
        throw ScheduleError(.invalidOption, subject: "phase \(phase.name)", detail: "two phases have this name")
      }
    }
  }
}

extension Schedule: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case phases
    case restore
  }

  /// Reads a schedule and checks it.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self, in: "schedule")
    phases = try values.decode([Phase].self, forKey: .phases)
    restore = try values.decodeIfPresent(Restore.self, forKey: .restore) ?? .bestSoFar
    try validate()
  }
}
