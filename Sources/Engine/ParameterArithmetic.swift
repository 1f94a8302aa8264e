import CKernels

/// The arithmetic of optimizers on whole arrays, on the engine's threads, or within `SharedWork` on the one that calls.
package enum ParameterArithmetic {
  /// Numbers that are changed or read in place.
  package typealias Values = UnsafeMutableBufferPointer<Float>

  /// Shrinks every number: w ← w − factor·w.
  package static func decay(_ weights: Values, by factor: Float) {
    graft_decay(weights.baseAddress, weights.count, factor)
  }

  /// Multiplies every number: x ← factor·x.
  package static func scale(_ values: Values, by factor: Float) {
    graft_scale(values.baseAddress, values.count, factor)
  }

  /// Cuts every number to −bound…bound.
  package static func clip(_ values: Values, to bound: Float) { graft_clip(values.baseAddress, values.count, bound) }

  /// √Σ x², summed in double precision in an order that does not depend on the number of threads.
  package static func norm(_ values: Values) -> Double {
    graft_squared_norm(values.baseAddress, values.count).squareRoot()
  }

  /// One step of gradient descent: v ← momentum·v − rate·g, w ← w + v; with Nesterov w ← w + momentum·v − rate·g.
  ///
  /// - Parameter velocity: nil without momentum.
  package static func stepSGD(
    _ weights: Values, gradient: Values, velocity: Values?, rate: Float, momentum: Float, nesterov: Bool
  ) {
    graft_step_sgd(
      weights.baseAddress, gradient.baseAddress, velocity?.baseAddress, weights.count, rate, momentum, nesterov)
  }

  /// One step of Adam, whose bias corrections are part of the rate: w ← w − rate·m / (√v + ε).
  package static func stepAdam(
    _ weights: Values, gradient: Values, firstMoment: Values?, secondMoment: Values?, rate: Float, beta1: Float,
    beta2: Float, epsilon: Float
  ) {
    graft_step_adam(
      weights.baseAddress, gradient.baseAddress, firstMoment?.baseAddress, secondMoment?.baseAddress, weights.count,
      rate, beta1, beta2, epsilon)
  }

  /// One step of RMSprop: v ← rho·v + (1 − rho)·g², u ← momentum·u + rate·g/√(v + ε), w ← w − u.
  ///
  /// - Parameter increment: u; nil without momentum.
  package static func stepRMSprop(
    _ weights: Values, gradient: Values, meanSquare: Values?, increment: Values?, rate: Float, rho: Float,
    momentum: Float, epsilon: Float
  ) {
    graft_step_rmsprop(
      weights.baseAddress, gradient.baseAddress, meanSquare?.baseAddress, increment?.baseAddress, weights.count, rate,
      rho, momentum, epsilon)
  }

  /// One step of Lion: w ← w − rate·sign(β₁·m + (1 − β₁)·g), m ← β₂·m + (1 − β₂)·g.
  package static func stepLion(
    _ weights: Values, gradient: Values, signMoment: Values?, rate: Float, beta1: Float, beta2: Float
  ) {
    graft_step_lion(
      weights.baseAddress, gradient.baseAddress, signMoment?.baseAddress, weights.count, rate, beta1, beta2)
  }

  /// One step of LAMB: w ← w − rate·(‖w‖/‖u‖)·u with u = c₁·m/(√(c₂·v) + ε).
  ///
  /// - Parameter corrections: c₁ and c₂, which make up for means that began at zero.
  package static func stepLAMB(
    _ weights: Values, gradient: Values, firstMoment: Values?, secondMoment: Values?, rate: Float, beta1: Float,
    beta2: Float, epsilon: Float, corrections: (first: Float, second: Float)
  ) {
    graft_step_lamb(
      weights.baseAddress, gradient.baseAddress, firstMoment?.baseAddress, secondMoment?.baseAddress, weights.count,
      rate, beta1, beta2, epsilon, corrections.first, corrections.second)
  }

  /// Adds the gradient of a pull towards other weights: g ← g + strength·(w − anchor).
  package static func pull(_ gradient: Values, of weights: Values, towards anchor: Values, by strength: Float) {
    graft_pull(gradient.baseAddress, weights.baseAddress, anchor.baseAddress, weights.count, strength)
  }

  /// Moves a mean towards the present weights: mean ← mean + share·(w − mean).
  package static func average(_ mean: Values, with weights: Values, share: Float) {
    graft_average(mean.baseAddress, weights.baseAddress, weights.count, share)
  }
}

/// How many threads compute.
@EngineActor public enum EngineThreads {
  /// Asks for a number of threads for all that the engine does from now on; 0 leaves it as it is.
  ///
  /// - Returns: the number in force: by default one for each core.
  @discardableResult
  public static func use(_ count: Int) -> Int {
    _ = systemCount
    return Int(graft_use_threads(Int32(clamping: count)))
  }

  /// Asks for a number of threads as somebody has chosen it; 0 for as many as the system gives.
  ///
  /// - Returns: the number in force.
  @discardableResult
  public static func choose(_ count: Int) -> Int { use(count > 0 ? count : systemCount) }

  /// How many there are where nobody asks for another number.
  private static let systemCount = Int(graft_use_threads(0))
}
