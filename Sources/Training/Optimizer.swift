import CKernels
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
    var velocity: MomentBuffer?
    /// Adam's mean of gradients; nil before the first step with Adam.
    var firstMoment: MomentBuffer?
    /// Adam's mean of squared gradients; nil before the first step with Adam.
    var secondMoment: MomentBuffer?
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
        graft_decay(slot.weights.baseAddress, slot.weights.count, Float(slot.weightDecay * learningRate))
      }
      switch description {
      case .sgd(let momentum, let nesterov):
        graft_step_sgd(
          slot.weights.baseAddress, slot.gradient.baseAddress, slot.state.velocity?.values.baseAddress,
          slot.weights.count, Float(learningRate), Float(momentum), nesterov)
      case .adam(let moments), .adamW(let moments, _):
        graft_step_adam(
          slot.weights.baseAddress, slot.gradient.baseAddress, slot.state.firstMoment?.values.baseAddress,
          slot.state.secondMoment?.values.baseAddress, slot.weights.count,
          moments.correctedRate(learningRate, step: slot.state.stepCount), Float(moments.beta1), Float(moments.beta2),
          Float(moments.epsilon))
      }
    }
    parameters.changed(paths)
  }

  private func clip() {
    switch clipping {
    case nil: return
    case .value(let bound): graft_clip(gradients.baseAddress, gradients.count, Float(bound))
    case .globalNorm(let bound):
      let norm = graft_squared_norm(gradients.baseAddress, gradients.count).squareRoot()
      if norm > bound { graft_scale(gradients.baseAddress, gradients.count, Float(bound / norm)) }
    }
  }

  private func prepare(_ state: State, count: Int) {
    switch description {
    case .sgd(let momentum, _):
      if momentum > 0, state.velocity == nil { state.velocity = MomentBuffer(count: count) }
    case .adam, .adamW:
      if state.firstMoment == nil { state.firstMoment = MomentBuffer(count: count) }
      if state.secondMoment == nil { state.secondMoment = MomentBuffer(count: count) }
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
