import Engine
import Foundation
import Freezing
import Graphs
import Tensors

/// Changes parameters by their gradients, after the rule of an `OptimizerDescription`.
///
/// The running means belong to parameter paths and not to a phase: a parameter that is frozen for a while finds its own
/// again, and each counts its own steps, so that Adam's bias correction is right for one that begins to train late.
@EngineActor
package final class Optimizer {
  /// What is kept for one parameter.
  final class State {
    /// How many steps the parameter has taken.
    var stepCount = 0
    /// SGD's velocity; nil before the first step with momentum.
    var velocity: FloatBuffer?
    /// Adam's mean of gradients; nil before the first step with Adam.
    var firstMoment: FloatBuffer?
    /// Adam's mean of squared gradients; nil before the first step with Adam.
    var secondMoment: FloatBuffer?
  }

  /// A parameter that trains now, with everything that a step needs.
  private struct Slot {
    let weights: UnsafeMutableBufferPointer<Float>
    let gradient: UnsafeMutableBufferPointer<Float>
    let weightDecay: Double
    let state: State
  }

  /// What is kept of every parameter that has ever trained.
  private(set) var states: [ParameterPath: State] = [:]

  private let parameters: ParameterBank
  private let roles: [ParameterPath: Parameter]
  private var description = OptimizerDescription.adamW()
  private var clipping: GradientClipping?
  private var gradients = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
  private var slots: [Slot] = []
  private var paths: [ParameterPath] = []

  /// An optimizer of a network's parameters, with nothing to train yet.
  package init(graph: Graph, parameters: ParameterBank) {
    self.parameters = parameters
    roles = Dictionary(uniqueKeysWithValues: graph.parameters.map { ($0.path, $0.parameter) })
  }

  /// Turns to the parameters of a phase, by the phase's rule; what was learnt about others is kept.
  package func train(
    _ buffer: GradientBuffer, by description: OptimizerDescription, clipping: GradientClipping? = nil
  ) {
    self.description = description
    self.clipping = clipping
    gradients = buffer.values
    paths = buffer.ranges.map(\.path)
    slots = buffer.ranges.map { path, range in
      guard let parameter = roles[path] else { preconditionFailure("\(path) belongs to the network") }
      let state = states[path] ?? State()
      states[path] = state
      prepare(state, count: range.count)
      return Slot(
        weights: parameters.values(at: path), gradient: UnsafeMutableBufferPointer(rebasing: gradients[range]),
        weightDecay: description.weightDecay(of: parameter), state: state)
    }
  }

  /// Takes one step along the gradients, which are clipped in place.
  package func step(learningRate: Double) {
    clip()
    for slot in slots {
      slot.state.stepCount += 1
      if slot.weightDecay > 0 {
        ParameterArithmetic.decay(slot.weights, by: Float(slot.weightDecay * learningRate))
      }
      switch description {
      case .sgd(let momentum, let nesterov):
        ParameterArithmetic.stepSGD(
          slot.weights, gradient: slot.gradient, velocity: slot.state.velocity?.values, rate: Float(learningRate),
          momentum: Float(momentum), nesterov: nesterov)
      case .adam(let moments), .adamW(let moments, _):
        ParameterArithmetic.stepAdam(
          slot.weights, gradient: slot.gradient, firstMoment: slot.state.firstMoment?.values,
          secondMoment: slot.state.secondMoment?.values,
          rate: moments.correctedRate(learningRate, step: slot.state.stepCount), beta1: Float(moments.beta1),
          beta2: Float(moments.beta2), epsilon: Float(moments.epsilon))
      }
    }
    parameters.changed(paths)
  }

  private func clip() {
    switch clipping {
    case nil: return
    case .value(let bound): ParameterArithmetic.clip(gradients, to: Float(bound))
    case .globalNorm(let bound):
      let norm = ParameterArithmetic.norm(gradients)
      if norm > bound { ParameterArithmetic.scale(gradients, by: Float(bound / norm)) }
    }
  }

  private func prepare(_ state: State, count: Int) {
    switch description {
    case .sgd(let momentum, _):
      if momentum > 0, state.velocity == nil { state.velocity = FloatBuffer(count: count) }
    case .adam, .adamW:
      if state.firstMoment == nil { state.firstMoment = FloatBuffer(count: count) }
      if state.secondMoment == nil { state.secondMoment = FloatBuffer(count: count) }
    }
  }

  /// The extents of a parameter.
  func shape(of path: ParameterPath) -> Shape? { roles[path]?.shape }

  /// Puts back what was kept of a parameter, as when a checkpoint is read.
  func restore(_ state: State, at path: ParameterPath) { states[path] = state }
}

extension OptimizerDescription.Moments {
  /// The rate with Adam's bias corrections: rate·√(1 − β₂ᵗ) / (1 − β₁ᵗ).
  ///
  /// The betas are rounded first as the kernel has them, so that the corrections undo exactly what it does.
  fileprivate func correctedRate(_ rate: Double, step: Int) -> Float {
    let first = 1 - pow(Double(Float(beta1)), Double(step))
    let second = 1 - pow(Double(Float(beta2)), Double(step))
    return Float(rate * second.squareRoot() / first)
  }
}
