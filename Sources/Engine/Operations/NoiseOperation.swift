import CKernels
import Graphs
import Tensors

/// Noise over every element, other for every step.
@EngineActor final class NoiseOperation: Operation {
  enum Kind {
    /// x plus numbers of a deviation.
    case added
    /// x times numbers of mean 1 and variance rate/(1 − rate).
    case multiplied
    /// A share of x at the least value of selu, scaled so that mean and variance stay.
    case alpha

    var kernel: graft_noise {
      switch self {
      case .added: graft_noise_added
      case .multiplied: graft_noise_multiplied
      case .alpha: graft_noise_alpha
      }
    }
  }

  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  let kind: Kind
  /// A deviation or a rate.
  let amount: Float

  init(name: String, input: Program.ValueID, _ kind: Kind, amount: Float) {
    self.name = name
    inputs = [input]
    self.kind = kind
    self.amount = amount
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = try emitter.activation(inputs[0], in: .channelsLast)
    let y = emitter.activation(x.shape, .channelsLast)
    emit(emitter, x, to: y, isBackward: false)
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    if kind == .added { return try emitter.pass(gradient, to: inputs[0]) }
    let target = emitter.writable(gradient)
    emit(emitter, gradient, to: target, isBackward: true)
    try emitter.pass(target, to: inputs[0])
  }

  private func emit(_ emitter: Emitter, _ x: Emitter.Activation, to y: Emitter.Activation, isBackward: Bool) {
    let (source, target, count, noise, amount) = (x.buffer, y.buffer, emitter.count(x), kind.kernel, amount)
    let (run, stream) = (emitter.run, emitter.seed(of: name, count: count))
    emitter.step(name, "noise", touching: [source, target]) {
      graft_add_noise(
        noise, target.floats, source.floats, count, amount, stream &+ run.step &* 0xd1b5_4a32_d192_ed03, isBackward)
    }
  }
}
