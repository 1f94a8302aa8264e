import CKernels
import Graphs
import Tensors

/// A function of every element.
@EngineActor final class ActivationOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  let function: ActivationFunction

  init(name: String, input: Program.ValueID, function: ActivationFunction) {
    self.name = name
    inputs = [input]
    self.function = function
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = emitter.stored(inputs[0])
    let y = emitter.activation(x.shape, x.layout, x.type)
    try emitter.apply(function, x, to: y, name: name)
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    let through = try emitter.throughActivation(
      function, gradient, output: emitter.stored(output), input: emitter.stored(inputs[0]), name: name)
    try emitter.pass(through, to: inputs[0])
  }
}

/// Drops a share of its elements, others for every step.
@EngineActor final class DropoutOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  let rate: Float
  /// What is dropped or kept as one.
  let unit: Unit

  enum Unit {
    /// Every number by itself.
    case element
    /// All numbers of a channel of a sample.
    case channel
    /// All numbers of a sample.
    case sample
  }

  init(name: String, input: Program.ValueID, rate: Float, unit: Unit) {
    self.name = name
    inputs = [input]
    self.rate = rate
    self.unit = unit
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = emitter.stored(inputs[0])
    let y = emitter.activation(x.shape, x.layout, x.type)
    drop(emitter, x, to: y)
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    // The same mask again: it is a function of seed, layer, step and index.
    let target = emitter.writable(gradient)
    drop(emitter, gradient, to: target)
    try emitter.pass(target, to: inputs[0])
  }

  private func drop(_ emitter: Emitter, _ x: Emitter.Activation, to y: Emitter.Activation) {
    let (run, rate, batch) = (emitter.run, rate, emitter.batch)
    let (source, target, count, type) = (x.buffer, y.buffer, emitter.count(x), x.type.kernel)
    guard unit != .element else {
      let stream = emitter.seed(of: name, count: count)
      emitter.step(name, "dropout", touching: [source, target]) {
        graft_dropout(
          target.address, source.address, count, rate, stream &+ run.step &* 0xd1b5_4a32_d192_ed03, type)
      }
      return
    }
    // One number decides for each sample, or for each channel of it: samples are outermost in every layout.
    let view =
      unit == .channel ? emitter.view(x) : graft_view(samples: batch, blocks: 1, pixels: count / batch, width: 1)
    let factorCount = view.samples * view.blocks * view.width
    let stream = emitter.seed(of: name, count: factorCount)
    let factors = emitter.buffer(floatCount: factorCount)
    emitter.step(name, "dropout", touching: [source, target, factors]) {
      graft_fill(factors.floats, 1, factorCount)
      graft_dropout(
        factors.floats, factors.floats, factorCount, rate, stream &+ run.step &* 0xd1b5_4a32_d192_ed03, graft_f32)
      graft_gate(target.address, source.address, factors.floats, view, false, type)
    }
  }
}
