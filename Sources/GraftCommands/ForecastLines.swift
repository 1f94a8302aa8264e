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
      ("GFLOP a step", .right), ("time an epoch", .right), ("at most", .right), ("plan", .right), ("memory", .right),
      ("frozen part", .left),
    ])
    for phase in forecast.phases {
      table.add([
        phase.name, phase.trains, phase.trainableParameters.grouped, length(of: phase), "\(phase.stepsPerEpoch)",
        (Double(phase.flopsPerStep) * 1e-9).formatted(atLeastDigits: 1),
        "\(phase.secondsPerEpoch.formatted(atLeastDigits: 2)) s", phase.seconds.asShortTime,
        phase.arenaBytes.asMebibytes, phase.peakResidentBytes.asMebibytes, frozenPart(of: phase),
      ])
    }
    return table.lines + [
      "",
      "at most \(forecast.seconds.asShortTime) of training and \(forecast.peakResidentBytes.asMebibytes) of memory; "
        + "nothing was trained",
    ]
  }

  /// The most epochs, or steps where the last epoch is cut short.
  private static func length(of phase: Forecast.Phase) -> String {
    phase.steps == phase.epochs * phase.stepsPerEpoch
      ? "up to \(phase.epochs)" : "up to \(phase.steps) step\(phase.steps == 1 ? "" : "s")"
  }

  private static func frozenPart(of phase: Forecast.Phase) -> String {
    let before = phase.secondsBefore > 0 ? ", \(phase.secondsBefore.asShortTime)" : ""
    guard phase.cached else { return "at each step" + (before.isEmpty ? "" : "\(before) beforehand") }
    let place = phase.featurePlace == .file ? " in the run's folder" : ""
    return "once\(before), \(phase.featureBytes.asMebibytes) kept\(place)"
  }
}
