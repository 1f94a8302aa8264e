import Graphs
import Tensors

/// The same numbers in the same order under another shape: nothing is computed.
@EngineActor final class ReshapeOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1

  init(name: String, input: Program.ValueID) {
    self.name = name
    inputs = [input]
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = try emitter.activation(inputs[0], in: .channelsLast)
    emitter.set(
      output,
      Emitter.Activation(buffer: x.buffer, layout: .channelsLast, shape: emitter.program.shapes[output]))
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    let shape = emitter.program.shapes[inputs[0]]
    try emitter.pass(
      Emitter.Activation(buffer: gradient.buffer, layout: .channelsLast, shape: shape), to: inputs[0])
  }
}

/// The axes of a sample in another order.
@EngineActor final class PermuteOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  /// For each axis of the output the axis of the input, counted from zero.
  let order: [Int]

  init(name: String, input: Program.ValueID, order: [Int]) {
    self.name = name
    inputs = [input]
    self.order = order
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = try emitter.activation(inputs[0], in: .channelsLast)
    let y = emitter.activation(emitter.program.shapes[output], .channelsLast)
    let (from, to) = try layouts(emitter)
    try emitter.reorder(name, from, x.buffer, to: to, y.buffer)
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    let target = emitter.activation(emitter.program.shapes[inputs[0]], .channelsLast)
    let (from, to) = try layouts(emitter)
    try emitter.reorder(name, to, gradient.buffer, to: from, target.buffer)
    try emitter.pass(target, to: inputs[0])
  }

  /// The input's array with the output's axes, and the output's array.
  private func layouts(_ emitter: Emitter) throws(EngineError) -> (MemoryDescriptor, MemoryDescriptor) {
    let shape = emitter.program.shapes[inputs[0]]
    var strides = Array(repeating: 1, count: shape.rank)
    for axis in (0..<max(0, shape.rank - 1)).reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
    let extents = [emitter.batch] + order.map { shape[$0] }
    let moved = [shape.elementCount] + order.map { strides[$0] }
    return (try MemoryDescriptor(extents, strides: moved), try MemoryDescriptor(dense: extents))
  }
}
