import Engine
import Foundation
import Freezing
import Graphs
import Tensors

/// Changes parameters by their gradients, after the rule of an `OptimizerDescription`.
///
/// What a rule remembers belongs to parameter paths and not to a phase: a parameter that is frozen for a while finds its own
/// again, and each counts its own steps, so that Adam's bias correction is right for one that begins to train late. Rules
/// that remember different things keep them beside each other.
@EngineActor
package final class Optimizer {
  /// What is kept for one parameter; a buffer is nil before the first step that needs it.
  final class State {
    /// How many steps `firstMoment` and `secondMoment` have taken.
    var stepCount = 0
    /// SGD's velocity.
    var velocity: FloatBuffer?
    /// The mean of gradients of Adam and LAMB.
    var firstMoment: FloatBuffer?
    /// The mean of squared gradients of Adam and LAMB.
    var secondMoment: FloatBuffer?
    /// RMSprop's mean of squared gradients.
    var meanSquare: FloatBuffer?
    /// What RMSprop with momentum subtracted last.
    var increment: FloatBuffer?
    /// Lion's mean of gradients.
    var signMoment: FloatBuffer?
  }

  /// A parameter that trains now, with everything that a step needs.
  private struct Slot {
    let weights: UnsafeMutableBufferPointer<Float>
    let gradient: UnsafeMutableBufferPointer<Float>
    let weightDecay: Double
    /// What the learning rate is multiplied by.
    let factor: Double
    /// The pretrained values that it is pulled towards; nil for none.
    let anchor: FloatBuffer?
    let state: State
  }

  /// What is kept of every parameter that has ever trained.
  private(set) var states: [ParameterPath: State] = [:]

  private let parameters: ParameterBank
  private let roles: [ParameterPath: Parameter]
  private var description = OptimizerDescription.adamW()
  private var clipping: GradientClipping?
  private var pretrained = Weights()
  private var pullStrength = 0.0
  private var anchors: [ParameterPath: FloatBuffer] = [:]
  private var gradients = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
  private var slots: [Slot] = []
  private var steps = ParameterSteps([])
  private var sharedSteps: SharedWork?
  private var paths: [ParameterPath] = []

  /// An optimizer of a network's parameters, with nothing to train yet.
  package init(graph: Graph, parameters: ParameterBank) {
    self.parameters = parameters
    roles = Dictionary(uniqueKeysWithValues: graph.parameters.map { ($0.path, $0.parameter) })
  }

  /// Adds strength/2·‖θ − θ⁰‖² to the loss, for those parameters that have pretrained values, from the next phase on.
  package func pull(towards weights: Weights, strength: Double) {
    pretrained = weights
    pullStrength = strength
    anchors = [:]
  }

  /// Turns to the parameters of a phase, by the phase's rule; what was learnt about others is kept.
  ///
  /// - Parameters:
  ///   - multipliers: What the learning rate is multiplied by for each parameter; 1 for those that are not there.
  ///   - forgets: Whether what was learnt about the phase's parameters is forgotten.
  package func train(
    _ buffer: GradientBuffer, by description: OptimizerDescription, clipping: GradientClipping? = nil,
    multipliers: [ParameterPath: Double] = [:], forgetting forgets: Bool = false
  ) {
    self.description = description
    self.clipping = clipping
    gradients = buffer.values
    paths = buffer.ranges.map(\.path)
    slots = buffer.ranges.map { path, range in
      guard let parameter = roles[path] else { preconditionFailure("\(path) belongs to the network") }
      let state = forgets ? State() : states[path] ?? State()
      states[path] = state
      prepare(state, count: range.count)
      return Slot(
        weights: parameters.values(at: path), gradient: UnsafeMutableBufferPointer(rebasing: gradients[range]),
        weightDecay: description.weightDecay(of: parameter), factor: multipliers[path] ?? 1, anchor: anchor(at: path),
        state: state)
    }
    let steps = ParameterSteps(
      slots.map {
        ParameterStep(
          weights: $0.weights, gradient: $0.gradient, gradientFactor: 1, decay: 0, rule: rule($0.state, rate: 0))
      })
    self.steps = steps
    sharedSteps = SharedWork(steps.counts) { steps.take($0) }
  }

  /// Takes one step along the gradients, which are clipped in place.
  package func step(learningRate: Double) {
    for slot in slots {
      guard let anchor = slot.anchor else { continue }
      ParameterArithmetic.pull(slot.gradient, of: slot.weights, towards: anchor.values, by: Float(pullStrength))
    }
    let factor = clip()
    for (index, slot) in slots.enumerated() {
      let rate = learningRate * slot.factor
      if description.countsSteps { slot.state.stepCount += 1 }
      steps.steps[index].gradientFactor = factor
      steps.steps[index].decay = Float(slot.weightDecay * rate)
      steps.steps[index].rule = rule(slot.state, rate: rate)
    }
    sharedSteps?.run()
    parameters.changed(paths)
  }

  /// What a parameter does at a learning rate.
  private func rule(_ state: State, rate: Double) -> ParameterStep.Rule {
    switch description {
    case .sgd(let momentum, let nesterov, _):
      return .sgd(velocity: state.velocity?.values, rate: Float(rate), momentum: Float(momentum), nesterov: nesterov)
    case .adam(let moments), .adamW(let moments, _):
      return .adam(
        first: state.firstMoment?.values, second: state.secondMoment?.values,
        rate: moments.correctedRate(rate, step: state.stepCount), beta1: Float(moments.beta1),
        beta2: Float(moments.beta2), epsilon: Float(moments.epsilon))
    case .rmsprop(let mean, _):
      return .rmsprop(
        meanSquare: state.meanSquare?.values, increment: state.increment?.values, rate: Float(rate),
        rho: Float(mean.rho), momentum: Float(mean.momentum), epsilon: Float(mean.epsilon))
    case .lion(let beta1, let beta2, _):
      return .lion(moment: state.signMoment?.values, rate: Float(rate), beta1: Float(beta1), beta2: Float(beta2))
    case .lamb(let moments, _):
      let (first, second) = moments.remainders(step: state.stepCount)
      return .lamb(
        first: state.firstMoment?.values, second: state.secondMoment?.values, rate: Float(rate),
        beta1: Float(moments.beta1), beta2: Float(moments.beta2), epsilon: Float(moments.epsilon),
        corrections: (first: Float(1 / first), second: Float(1 / second)))
    }
  }

  /// Clips the gradients, but for what they are all to be multiplied by yet.
  private func clip() -> Float {
    switch clipping {
    case nil: return 1
    case .value(let bound): ParameterArithmetic.clip(gradients, to: Float(bound))
    case .norm(let bound):
      for slot in slots {
        let factor = shortening(slot.gradient, to: bound)
        if factor != 1 { ParameterArithmetic.scale(slot.gradient, by: factor) }
      }
    case .globalNorm(let bound): return shortening(gradients, to: bound)
    }
    return 1
  }

  /// What values have to be multiplied by for their norm to keep to a bound.
  private func shortening(_ values: UnsafeMutableBufferPointer<Float>, to bound: Double) -> Float {
    let norm = ParameterArithmetic.norm(values)
    return norm > bound ? Float(bound / norm) : 1
  }

  private func prepare(_ state: State, count: Int) {
    func fill(_ buffer: ReferenceWritableKeyPath<State, FloatBuffer?>) {
      if state[keyPath: buffer] == nil { state[keyPath: buffer] = FloatBuffer(count: count) }
    }
    switch description {
    case .sgd(let momentum, _, _): if momentum > 0 { fill(\.velocity) }
    case .adam, .adamW, .lamb:
      fill(\.firstMoment)
      fill(\.secondMoment)
    case .rmsprop(let mean, _):
      fill(\.meanSquare)
      if mean.momentum > 0 { fill(\.increment) }
    case .lion: fill(\.signMoment)
    }
  }

  private func anchor(at path: ParameterPath) -> FloatBuffer? {
    guard pullStrength > 0, let tensor = pretrained[path] else { return nil }
    let anchor = anchors[path] ?? FloatBuffer(tensor)
    anchors[path] = anchor
    return anchor
  }

  /// The extents of a parameter.
  func shape(of path: ParameterPath) -> Shape? { roles[path]?.shape }

  /// Puts back what was kept of a parameter, as when a checkpoint is read.
  func restore(_ state: State, at path: ParameterPath) { states[path] = state }

  /// Forgets everything about all parameters.
  func forgetAll() { states = [:] }
}

extension OptimizerDescription {
  /// Whether a step depends on how many there were before.
  fileprivate var countsSteps: Bool {
    switch self {
    case .adam, .adamW, .lamb: true
    case .sgd, .rmsprop, .lion: false
    }
  }
}

extension OptimizerDescription.Moments {
  /// 1 − βᵗ for both running means: what has arrived in them after so many steps.
  ///
  /// The betas are rounded first as the kernel has them, so that the corrections undo exactly what it does.
  fileprivate func remainders(step: Int) -> (first: Double, second: Double) {
    (1 - pow(Double(Float(beta1)), Double(step)), 1 - pow(Double(Float(beta2)), Double(step)))
  }

  /// The rate with Adam's bias corrections: rate·√(1 − β₂ᵗ) / (1 − β₁ᵗ).
  fileprivate func correctedRate(_ rate: Double, step: Int) -> Float {
    let (first, second) = remainders(step: step)
    return Float(rate * second.squareRoot() / first)
  }
}
