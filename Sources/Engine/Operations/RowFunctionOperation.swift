import CKernels
import Graphs
import Tensors

/// A function of every row of numbers, along the last axis.
@EngineActor final class RowFunctionOperation: Operation {
  enum Kind: String {
    case softmax
    case logSoftmax
    case sparsemax
  }

  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  let kind: Kind

  init(name: String, input: Program.ValueID, _ kind: Kind) {
    self.name = name
    inputs = [input]
    self.kind = kind
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = try emitter.activation(inputs[0], in: .channelsLast)
    let y = emitter.activation(x.shape, .channelsLast)
    let (source, target, columns, kind) = (x.buffer, y.buffer, x.shape[-1], kind)
    let rows = emitter.count(x) / max(1, columns)
    emitter.step(name, kind.rawValue, touching: [source, target]) {
      switch kind {
      case .softmax: graft_softmax(target.floats, source.floats, rows, columns)
      case .logSoftmax: graft_log_softmax(target.floats, source.floats, rows, columns)
      case .sparsemax: graft_sparsemax(target.floats, source.floats, rows, columns)
      }
    }
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    let y = kind == .sparsemax ? try emitter.activation(inputs[0], in: .channelsLast) : emitter.stored(output)
    let target = emitter.writable(gradient)
    let (dy, dx, value, columns, kind) = (gradient.buffer, target.buffer, y.buffer, y.shape[-1], kind)
    let rows = emitter.count(y) / max(1, columns)
    emitter.step(name, "\(kind)_gradient", touching: [dy, dx, value]) {
      switch kind {
      case .softmax: graft_softmax_gradient(dx.floats, dy.floats, value.floats, rows, columns)
      case .logSoftmax: graft_log_softmax_gradient(dx.floats, dy.floats, value.floats, rows, columns)
      case .sparsemax: graft_sparsemax_gradient(dx.floats, dy.floats, value.floats, rows, columns)
      }
    }
    try emitter.pass(target, to: inputs[0])
  }
}
