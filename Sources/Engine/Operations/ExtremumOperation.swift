import CKernels
import Graphs
import Tensors

/// The larger or the lesser of two inputs of one shape, element by element.
@EngineActor final class ExtremumOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  /// Whether the lesser is taken.
  let isLeast: Bool

  init(name: String, _ left: Program.ValueID, _ right: Program.ValueID, isLeast: Bool) {
    self.name = name
    inputs = [left, right]
    self.isLeast = isLeast
  }

  /// Both inputs in one layout and in single precision.
  private func operands(_ emitter: Emitter) throws(EngineError) -> (Emitter.Activation, Emitter.Activation) {
    let layout = emitter.stored(inputs[0]).layout
    return (try emitter.activation(inputs[0], in: layout), try emitter.activation(inputs[1], in: layout))
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let values = try operands(emitter)
    let y = emitter.activation(values.0.shape, values.0.layout)
    let (a, b, target, n, isLeast) = (values.0.buffer, values.1.buffer, y.buffer, emitter.count(y), isLeast)
    emitter.step(name, isLeast ? "minimum" : "maximum", touching: [a, b, target]) {
      graft_extremum(target.floats, a.floats, b.floats, n, isLeast)
    }
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    let values = try operands(emitter)
    for (own, other, input) in [(values.0, values.1, inputs[0]), (values.1, values.0, inputs[1])]
    where emitter.needsGradient(input) {
      let target = emitter.activation(own.shape, own.layout)
      let (dy, a, b, dx) = (gradient.buffer, own.buffer, other.buffer, target.buffer)
      let (n, isLeast) = (emitter.count(target), isLeast)
      emitter.step(name, isLeast ? "minimum_gradient" : "maximum_gradient", touching: [dy, a, b, dx]) {
        graft_extremum_gradient(dx.floats, dy.floats, a.floats, b.floats, n, isLeast)
      }
      try emitter.pass(target, to: input)
    }
  }
}
