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

/// eˣ divided by its sum over the last axis.
@EngineActor final class SoftmaxOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1

  init(name: String, input: Program.ValueID) {
    self.name = name
    inputs = [input]
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = try emitter.activation(inputs[0], in: .channelsLast)
    let y = emitter.activation(x.shape, .channelsLast)
    let (source, target, columns) = (x.buffer, y.buffer, x.shape[-1])
    let rows = emitter.count(x) / max(1, columns)
    emitter.step(name, "softmax", touching: [source, target]) {
      graft_softmax(target.floats, source.floats, rows, columns)
    }
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    let y = emitter.stored(output)
    let target = emitter.writable(gradient)
    let (dy, dx, value, columns) = (gradient.buffer, target.buffer, y.buffer, y.shape[-1])
    let rows = emitter.count(y) / max(1, columns)
    emitter.step(name, "softmax_gradient", touching: [dy, dx, value]) {
      graft_softmax_gradient(dx.floats, dy.floats, value.floats, rows, columns)
    }
    try emitter.pass(target, to: inputs[0])
  }
}

/// Drops a share of its elements, others for every step.
@EngineActor final class DropoutOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  let rate: Float
  /// Whether a sample is dropped as a whole or not at all.
  let dropsSamples: Bool

  init(name: String, input: Program.ValueID, rate: Float, dropsSamples: Bool) {
    self.name = name
    inputs = [input]
    self.rate = rate
    self.dropsSamples = dropsSamples
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
    var stream = emitter.options.seed
    for byte in name.utf8 { stream = (stream ^ UInt64(byte)) &* 0x100_0000_01b3 }
    guard dropsSamples else {
      emitter.step(name, "dropout", touching: [source, target]) {
        graft_dropout(
          target.address, source.address, count, rate, stream &+ run.step &* 0xd1b5_4a32_d192_ed03, type)
      }
      return
    }
    // One number decides for each sample: samples are outermost in every layout.
    let factors = emitter.buffer(floatCount: batch)
    let view = graft_view(samples: batch, blocks: 1, pixels: count / batch, width: 1)
    emitter.step(name, "dropout", touching: [source, target, factors]) {
      graft_fill(factors.floats, 1, batch)
      graft_dropout(
        factors.floats, factors.floats, batch, rate, stream &+ run.step &* 0xd1b5_4a32_d192_ed03, graft_f32)
      graft_gate(target.address, source.address, factors.floats, view, false, type)
    }
  }
}
