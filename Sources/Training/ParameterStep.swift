import Engine

/// One step of one parameter by an optimizer's rule, with everything that it reads and changes.
struct ParameterStep {
  typealias Values = ParameterArithmetic.Values

  /// How the parameter moves, and what the rule remembers.
  enum Rule {
    case sgd(velocity: Values?, rate: Float, momentum: Float, nesterov: Bool)
    case adam(first: Values?, second: Values?, rate: Float, beta1: Float, beta2: Float, epsilon: Float)
    case rmsprop(
      meanSquare: Values?, increment: Values?, rate: Float, rho: Float, momentum: Float, epsilon: Float)
    case lion(moment: Values?, rate: Float, beta1: Float, beta2: Float)
    case lamb(
      first: Values?, second: Values?, rate: Float, beta1: Float, beta2: Float, epsilon: Float,
      corrections: (first: Float, second: Float))
  }

  let weights: Values
  let gradient: Values
  /// What the gradient is multiplied by first, in place.
  var gradientFactor: Float
  /// By what share of itself the parameter shrinks first.
  var decay: Float
  var rule: Rule

  /// Whether a part of the parameter moves as it does with all of it.
  var canBeCut: Bool { if case .lamb = rule { false } else { true } }

  /// Takes the step for a part of the parameter.
  func take(_ range: Range<Int>) {
    func part(_ values: Values) -> Values { Values(rebasing: values[range]) }
    let (weights, gradient) = (part(weights), part(gradient))
    if gradientFactor != 1 { ParameterArithmetic.scale(gradient, by: gradientFactor) }
    if decay > 0 { ParameterArithmetic.decay(weights, by: decay) }
    switch rule {
    case .sgd(let velocity, let rate, let momentum, let nesterov):
      ParameterArithmetic.stepSGD(
        weights, gradient: gradient, velocity: velocity.map(part), rate: rate, momentum: momentum, nesterov: nesterov)
    case .adam(let first, let second, let rate, let beta1, let beta2, let epsilon):
      ParameterArithmetic.stepAdam(
        weights, gradient: gradient, firstMoment: first.map(part), secondMoment: second.map(part), rate: rate,
        beta1: beta1, beta2: beta2, epsilon: epsilon)
    case .rmsprop(let meanSquare, let increment, let rate, let rho, let momentum, let epsilon):
      ParameterArithmetic.stepRMSprop(
        weights, gradient: gradient, meanSquare: meanSquare.map(part), increment: increment.map(part), rate: rate,
        rho: rho, momentum: momentum, epsilon: epsilon)
    case .lion(let moment, let rate, let beta1, let beta2):
      ParameterArithmetic.stepLion(
        weights, gradient: gradient, signMoment: moment.map(part), rate: rate, beta1: beta1, beta2: beta2)
    case .lamb(let first, let second, let rate, let beta1, let beta2, let epsilon, let corrections):
      ParameterArithmetic.stepLAMB(
        weights, gradient: gradient, firstMoment: first.map(part), secondMoment: second.map(part), rate: rate,
        beta1: beta1, beta2: beta2, epsilon: epsilon, corrections: corrections)
    }
  }
}

/// One step of all parameters that train, in pieces that several threads take at once.
final class ParameterSteps {
  /// What each parameter does next.
  var steps: [ParameterStep]
  private let pieces: [(step: Int, range: Range<Int>)]

  /// What is gone through in several passes stays near the processor.
  private static let largestPiece = 1 << 15

  init(_ steps: [ParameterStep]) {
    self.steps = steps
    pieces = steps.enumerated().flatMap { index, step in
      let count = step.weights.count
      let length = step.canBeCut ? ParameterSteps.largestPiece : max(count, 1)
      return stride(from: 0, to: count, by: length).map { (index, $0..<min($0 + length, count)) }
    }
  }

  /// How many numbers each piece has.
  var counts: [Int] { pieces.map(\.range.count) }

  /// Takes one piece.
  func take(_ piece: Int) { steps[pieces[piece].step].take(pieces[piece].range) }
}
