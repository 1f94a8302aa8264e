import CKernels
import Graphs
import Tensors

/// Several inputs one behind another along an axis.
@EngineActor final class ConcatenateOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  /// The axis of one sample, counted from the first.
  let axis: Int

  private var layout = ActivationLayout.channelsLast
  private var type = NumberType.f32

  init(name: String, inputs: [Program.ValueID], axis: Int) {
    self.name = name
    self.inputs = inputs
    self.axis = axis
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let shape = emitter.program.shapes[output]
    let first = emitter.stored(inputs[0]).layout
    type = inputs.allSatisfy { emitter.stored($0).type == .bf16 } ? .bf16 : .f32
    // Blocks can be joined only where no input ends in the middle of one.
    let fits = inputs.allSatisfy {
      let channels = emitter.program.shapes[$0][-1]
      return shape.rank == 3 && (axis < 2 || first.paddedChannels(channels) == channels)
    }
    layout = fits ? first : .channelsLast
    let y = emitter.activation(shape, layout, type)
    var start = 0
    for input in inputs {
      let x = try emitter.activation(input, in: layout, as: type)
      run(copy(emitter, from: x, into: y, at: start), emitter, from: x, to: y)
      start += x.shape[axis]
    }
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    var start = 0
    for input in inputs {
      let shape = emitter.program.shapes[input]
      if emitter.needsGradient(input) {
        let part = emitter.activation(shape, layout, type)
        run(copy(emitter, from: part, into: gradient, at: start).reversed, emitter, from: gradient, to: part)
        try emitter.pass(part, to: input)
      }
      start += shape[axis]
    }
  }

  private func run(_ copy: RowCopy, _ emitter: Emitter, from x: Emitter.Activation, to y: Emitter.Activation) {
    let (source, target, type) = (x.buffer, y.buffer, type)
    emitter.step(name, "copy_rows", touching: [source, target]) {
      copy.run(from: source.address, to: target.address, type)
    }
  }

  /// The rows of one input and where they go.
  private func copy(
    _ emitter: Emitter, from x: Emitter.Activation, into y: Emitter.Activation, at start: Int
  ) -> RowCopy {
    // The array as a list of extents without gaps, and the axis in it.
    func extents(_ value: Emitter.Activation) -> [Int] {
      guard value.shape.rank == 3 else { return [emitter.batch] + value.shape.dimensions }
      let e = emitter.extents(value)
      return [e.samples, e.blocks, e.rows, e.columns, e.width]
    }
    let isImage = x.shape.rank == 3
    let isBlocked = isImage && layout != .channelsLast
    let place = !isImage ? axis + 1 : axis < 2 ? axis + 2 : isBlocked ? 1 : 4
    let width = isBlocked && axis == 2 ? layout.blockWidth(channels: x.shape[2]) : 1
    let (own, all) = (extents(x), extents(y))
    let inner = own[(place + 1)...].reduce(1, *)
    let outer = own[..<place].reduce(1, *)
    return RowCopy(
      counts: (1, outer), row: own[place] * inner, source: (0, 0, own[place] * inner),
      target: (start / width * inner, 0, all[place] * inner))
  }
}
