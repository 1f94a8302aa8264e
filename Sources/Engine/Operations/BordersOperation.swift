import CKernels
import Graphs
import Tensors

/// Lays zeros around an image, or cuts its border off.
@EngineActor final class BordersOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  /// Rows and columns that are added, or taken away where `crops`.
  let insets: Insets2D
  let crops: Bool

  init(name: String, input: Program.ValueID, insets: Insets2D, crops: Bool) {
    self.name = name
    inputs = [input]
    self.insets = insets
    self.crops = crops
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = emitter.activation(inputs[0])
    let y = emitter.activation(emitter.program.shapes[output], x.layout)
    emit(emitter, crops: crops, from: x, to: y)
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    try emitter.contribute(to: inputs[0]) { target throws(EngineError) in
      emit(emitter, crops: !crops, from: gradient, to: target)
    }
  }

  private func emit(_ emitter: Emitter, crops: Bool, from x: Emitter.Activation, to y: Emitter.Activation) {
    let (small, large) = crops ? (emitter.extents(y), emitter.extents(x)) : (emitter.extents(x), emitter.extents(y))
    let row = small.columns * small.width
    let start = (insets.top * large.columns + insets.left) * large.width
    let inside = (start: 0, outer: small.rows * row, inner: row)
    let outside = (start: start, outer: large.rows * large.columns * large.width, inner: large.columns * large.width)
    let copy = RowCopy(
      counts: (small.samples * small.blocks, small.rows), row: row, source: crops ? outside : inside,
      target: crops ? inside : outside)
    let (source, target, n) = (x.buffer, y.buffer, emitter.count(y))
    emitter.step(name, crops ? "crop" : "pad", touching: [source, target]) {
      if !crops { graft_fill(target.floats, 0, n) }
      copy.run(from: source.floats, to: target.floats)
    }
  }
}
