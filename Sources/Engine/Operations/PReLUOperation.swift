import CKernels
import Graphs
import Tensors

/// x where x > 0 and α·x below, with one α for each of so many last numbers.
@EngineActor final class PReLUOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  let alpha: ParameterPath
  /// How many of the last numbers of a sample have an α of their own.
  let columnCount: Int

  init(name: String, input: Program.ValueID, alpha: ParameterPath, columnCount: Int) {
    self.name = name
    inputs = [input]
    self.alpha = alpha
    self.columnCount = columnCount
  }

  var parameters: [ParameterPath] { [alpha] }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = try emitter.activation(inputs[0], in: .channelsLast)
    let y = emitter.activation(x.shape, .channelsLast)
    let (source, target, slope, columns) = (x.buffer, y.buffer, emitter.master(alpha), columnCount)
    let rows = emitter.count(x) / max(1, columns)
    emitter.step(name, "prelu", touching: [source, target]) {
      graft_prelu(target.floats, source.floats, slope.floats, rows, columns)
    }
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    let x = try emitter.activation(inputs[0], in: .channelsLast)
    let (dy, source, columns, count) = (gradient.buffer, x.buffer, columnCount, emitter.count(x))
    let rows = count / max(1, columns)
    if emitter.trains(alpha) {
      // dα = Σ dy·min(x, 0)
      let (negative, sums) = (emitter.buffer(floatCount: count), emitter.buffer(floatCount: columns))
      emitter.step(name, "prelu_parameters", touching: [dy, source, negative, sums]) {
        graft_relu(negative.floats, source.floats, count, 1, 0, 0, graft_f32)
        graft_column_dots(sums.floats, dy.floats, negative.floats, rows, columns)
      }
      emitter.writeGradient(of: alpha, from: sums, name: name)
    }
    guard emitter.needsGradient(inputs[0]) else { return }
    let target = emitter.writable(gradient)
    let (dx, slope) = (target.buffer, emitter.master(alpha))
    emitter.step(name, "prelu_gradient", touching: [dy, dx, source]) {
      graft_prelu_gradient(dx.floats, dy.floats, source.floats, slope.floats, rows, columns)
    }
    try emitter.pass(target, to: inputs[0])
  }
}
