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
    let x = emitter.stored(inputs[0])
    let y = emitter.activation(emitter.program.shapes[output], x.layout, x.type)
    emit(emitter, crops: crops, from: x, to: y)
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    try emitter.contribute(to: inputs[0], as: gradient.type) { target throws(EngineError) in
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
    let (source, target, type) = (x.buffer, y.buffer, x.type)
    // In words of four bytes; a buffer ends at a whole one.
    let words = (target.byteCount + 3) / 4
    emitter.step(name, crops ? "crop" : "pad", touching: [source, target]) {
      if !crops { graft_fill(target.floats, 0, words) }
      copy.run(from: source.address, to: target.address, type)
    }
  }
}
