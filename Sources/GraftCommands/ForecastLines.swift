import Graft

/// What a run is going to take, as a person reads it.
enum ForecastLines {
  /// Rehearses a run and prints the outcome.
  static func show(_ tuning: FineTuning, json: Bool) async throws {
    let forecast = try await tuning.rehearse { event in
      if case .note(let text) = event { Console.note(text) }
    }
    if json { return try Console.json(forecast) }
    lines(of: forecast).forEach(Console.result)
  }

  private static func lines(of forecast: Forecast) -> [String] {
    var table = TextTable([
      ("phase", .left), ("trains", .left), ("parameters", .right), ("epochs", .right), ("steps", .right),
      ("GFLOP a step", .right), ("time an epoch", .right), ("plan", .right), ("frozen part", .left),
    ])
    for phase in forecast.phases {
      let before = phase.secondsBefore > 0 ? ", \(phase.secondsBefore.asTime)" : ""
      table.add([
        phase.name, phase.trains, phase.trainableParameters.grouped, "up to \(phase.epochs)", "\(phase.stepsPerEpoch)",
        (Double(phase.flopsPerStep) * 1e-9).formatted(digits: 1), "\(phase.secondsPerEpoch.formatted(digits: 2)) s",
        phase.arenaBytes.asMebibytes,
        phase.cached ? "once\(before), \(phase.featureBytes.asMebibytes) kept" : "at each step",
      ])
    }
    return table.lines + [
      "",
      "at most \(forecast.seconds.asTime) of training and \(forecast.peakResidentBytes.asMebibytes) of memory; "
        + "nothing was trained",
    ]
  }
}
