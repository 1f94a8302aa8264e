import CDNNL
import Graphs
import Tensors

/// Products of the rows of two matrices of each sample: `[M, K]` and `[P, K]` to `[M, P]`.
@EngineActor final class MatrixProductOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1

  init(name: String, _ left: Program.ValueID, _ right: Program.ValueID) {
    self.name = name
    inputs = [left, right]
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let a = try emitter.activation(inputs[0], in: .channelsLast)
    let b = try emitter.activation(inputs[1], in: .channelsLast)
    let y = emitter.activation(emitter.program.shapes[output], .channelsLast)
    try multiply(emitter, a, b, transposesRight: true, to: y)
    emitter.set(output, y)
  }

  /// dA = dY·B and dB = dYᵀ·A.
  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    let a = try emitter.activation(inputs[0], in: .channelsLast)
    let b = try emitter.activation(inputs[1], in: .channelsLast)
    if emitter.needsGradient(inputs[0]) {
      let target = emitter.activation(a.shape, .channelsLast)
      try multiply(emitter, gradient, b, to: target)
      try emitter.pass(target, to: inputs[0])
    }
    if emitter.needsGradient(inputs[1]) {
      let target = emitter.activation(b.shape, .channelsLast)
      try multiply(emitter, gradient, a, transposesLeft: true, to: target)
      try emitter.pass(target, to: inputs[1])
    }
  }

  private func multiply(
    _ emitter: Emitter, _ left: Emitter.Activation, _ right: Emitter.Activation, transposesLeft: Bool = false,
    transposesRight: Bool = false, to target: Emitter.Activation
  ) throws(EngineError) {
    func descriptor(_ matrix: Emitter.Activation, transposes: Bool) throws(EngineError) -> MemoryDescriptor {
      let (rows, columns) = (matrix.shape[0], matrix.shape[1])
      return transposes
        ? try MemoryDescriptor([emitter.batch, columns, rows], strides: [rows * columns, 1, columns])
        : try MemoryDescriptor([emitter.batch, rows, columns], strides: [rows * columns, columns, 1])
    }
    let a = try descriptor(left, transposes: transposesLeft)
    let b = try descriptor(right, transposes: transposesRight)
    let y = try descriptor(target, transposes: false)
    let attributes = try Attributes()
    let primitive = try PrimitiveDescriptor(name) { [engine = emitter.engine] handle in
      graft_matmul(&handle, engine, a.handle, b.handle, y.handle, attributes.handle)
    }
    let inner = transposesLeft ? left.shape[0] : left.shape[1]
    try emitter.step(
      name, primitive, operationCount: 2 * emitter.batch * target.shape.elementCount * inner,
      [
        (graft_arg_source, a, left.buffer), (graft_arg_weights, b, right.buffer),
        (graft_arg_destination, y, target.buffer),
      ])
  }
}
