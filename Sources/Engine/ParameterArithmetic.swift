import CKernels

/// The arithmetic of optimizers on whole arrays, on the engine's threads.
@EngineActor package enum ParameterArithmetic {
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
}

/// How many threads compute.
@EngineActor public enum EngineThreads {
  /// Asks for a number of threads for all that the engine does from now on; 0 leaves it as it is.
  ///
  /// - Returns: the number in force: by default one for each core.
  @discardableResult
  public static func use(_ count: Int) -> Int { Int(graft_use_threads(Int32(clamping: count))) }
}
