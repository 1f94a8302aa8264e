extension Phase {
  /// What the phase does, in a sentence or two.
  public var summary: String {
    var parts = ["Trains \(whatTrains)", length]
    if !until.isEmpty { parts.append("until " + until.map(\.description).joined(separator: " or ")) }
    if let budget { parts.append("within \(budget)") }
    var result = parts.joined(separator: ", ") + "; \(learningRate.summary)"
    if rateUnit == .featurePower { result += " over the mean square length of what enters" }
    if let multipliers { result += ", \(multipliers.summary)" }
    result += "."
    switch batchNormalization {
    case .frozenStatistics: break
    case .trainingStatistics: result += " Batch normalisation uses the statistics of the batch."
    case .affineOnly: result += " Gamma and beta of every batch normalisation train too."
    }
    if let freezeSettled {
      result +=
        " Stages whose gradients change by at most \(freezeSettled.threshold.asPercent) for "
        + "\(freezeSettled.window) epochs are frozen."
    }
    return result
  }

  private var whatTrains: String {
    guard let choose else { return "\(train)" }
    let stages =
      choose.chosen.map { "the chosen stages \($0.joined(separator: ", "))" }
      ?? "the \(choose.count) stages with the largest gradients beside their weights on \(choose.batches) batches"
    return train == .none ? stages : "\(train) and \(stages)"
  }

  private var length: String {
    switch (epochs, steps) {
    case (let epochs?, let steps?): "at most \(epochs) epochs or \(steps) steps"
    case (let epochs?, nil): "at most \(epochs) epoch\(epochs == 1 ? "" : "s")"
    case (nil, let steps?): "at most \(steps) step\(steps == 1 ? "" : "s")"
    case (nil, nil): "as many epochs as it takes"
    }
  }
}

extension LearningRate {
  fileprivate var summary: String {
    let form =
      switch shape {
      case .constant: "a constant rate of \(peak)"
      case .step: "a rate of \(peak) that falls in steps"
      case .exponential: "a rate of \(peak) that falls by the same ratio at each step"
      case .cosine(_, let period, _):
        "a rate of \(peak) that falls along a cosine\(period < 1 ? " again and again" : "")"
      case .oneCycle: "one cycle of the rate up to \(peak) and down"
      case .polynomial(let power, _):
        "a rate of \(peak) that falls \(power == 1 ? "evenly" : "as a power of what is left")"
      case .reduceOnPlateau(let reduction): "a rate of \(peak) that falls when \(reduction.metric) stops improving"
      }
    if case .oneCycle = shape { return form }
    return form + (warmUp > 0 ? ", after a warm-up of \(warmUp.asPercent)" : "")
  }
}

extension RateMultipliers {
  fileprivate var summary: String {
    var parts: [String] = []
    if head != 1 { parts.append("the heads at \(head) times the rate") }
    if let stageDecay { parts.append("each stage further down at \(stageDecay.rounded(digits: 3)) of the one above") }
    if let layerDecay { parts.append("each block further down at \(layerDecay.rounded(digits: 3)) of the one above") }
    return parts.isEmpty ? "alike everywhere" : parts.joined(separator: ", ")
  }
}

extension Double {
  fileprivate func rounded(digits: Int) -> Double {
    let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
    return (self * scale).rounded() / scale
  }

  /// A share as percent: `10 %`.
  fileprivate var asPercent: String {
    let percent = (self * 100).rounded(digits: 2)
    return percent == percent.rounded() ? "\(Int(percent)) %" : "\(percent) %"
  }
}
