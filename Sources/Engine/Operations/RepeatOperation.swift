import CKernels
import Graphs
import Tensors

/// Its input repeated along axes in which it has extent 1.
@EngineActor final class RepeatOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1

  init(name: String, input: Program.ValueID) {
    self.name = name
    inputs = [input]
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = try emitter.activation(inputs[0], in: .channelsLast)
    let y = emitter.activation(emitter.program.shapes[output], .channelsLast)
    try emitter.broadcast(x, to: y, over: y.shape, accumulates: false, name: name)
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    let target = emitter.activation(emitter.program.shapes[inputs[0]], .channelsLast)
    let (dx, n) = (target.buffer, emitter.count(target))
    emitter.step(name, "fill", touching: [dx]) { graft_fill(dx.floats, 0, n) }
    try emitter.broadcast(gradient, to: target, over: gradient.shape, accumulates: true, name: name)
    try emitter.pass(target, to: inputs[0])
  }
}
