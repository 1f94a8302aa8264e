/// How fast a phase goes on, and how far it may.
package struct PhasePace: Hashable, Sendable {
  /// The most steps that its epochs and steps allow.
  package var stepCount: Int
  /// The steps of a whole epoch.
  package var stepsPerEpoch: Int
  /// What passes before its first step.
  package var secondsBefore: Double
  /// What a step takes; more than 0.
  package var secondsPerStep: Double
  /// What it takes to measure the network at the end of each epoch.
  package var secondsPerValidation: Double

  /// A pace.
  package init(
    stepCount: Int, stepsPerEpoch: Int, secondsBefore: Double, secondsPerStep: Double, secondsPerValidation: Double
  ) {
    self.stepCount = stepCount
    self.stepsPerEpoch = stepsPerEpoch
    self.secondsBefore = secondsBefore
    self.secondsPerStep = secondsPerStep
    self.secondsPerValidation = secondsPerValidation
  }

  /// What a whole epoch takes.
  package var secondsPerEpoch: Double { secondsPerStep * Double(stepsPerEpoch) + secondsPerValidation }

  /// The most that a phase takes.
  package struct Length: Hashable, Sendable {
    /// The epochs, of which the last may be cut short.
    package var epochs: Int
    /// The steps of all epochs.
    package var steps: Int
    /// The time, from what comes before the first step to the last measurement.
    package var seconds: Double

    /// A length.
    package init(epochs: Int, steps: Int, seconds: Double) {
      self.epochs = epochs
      self.steps = steps
      self.seconds = seconds
    }
  }

  /// The most that the phase takes within a time.
  ///
  /// - Parameter budget: The time in seconds; nil for as long as it needs. It is looked at after each step, so that the
  ///   step in which it ends, and the measurement after that, go beyond it.
  package func length(within budget: Double?) -> Length {
    var steps = stepCount
    if let budget {
      let left = max(0, budget - secondsBefore)
      let epochs = (left / secondsPerEpoch).rounded(.down)
      let rest = (left - epochs * secondsPerEpoch) / secondsPerStep
      // Time that ends while the network is measured is seen after the next step.
      let reached = epochs * Double(stepsPerEpoch) + min(Double(stepsPerEpoch), rest.rounded(.down)) + 1
      if reached < Double(steps) { steps = Int(reached) }
    }
    let epochs = (steps + stepsPerEpoch - 1) / stepsPerEpoch
    let seconds = secondsBefore + Double(steps) * secondsPerStep + Double(epochs) * secondsPerValidation
    return Length(epochs: epochs, steps: steps, seconds: seconds)
  }
}
