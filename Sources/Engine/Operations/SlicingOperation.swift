import CKernels
import Graphs
import Tensors

/// Places at equal distances along one axis.
@EngineActor final class SlicingOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  /// The axis of one sample, counted from the first.
  let axis: Int
  /// The first place and the distance to the next, which may be negative.
  let places: (start: Int, step: Int)

  init(name: String, input: Program.ValueID, axis: Int, places: (start: Int, step: Int)) {
    self.name = name
    inputs = [input]
    self.axis = axis
    self.places = places
  }

  private func slice(_ emitter: Emitter) -> graft_slice {
    let (from, to) = (emitter.program.shapes[inputs[0]], emitter.program.shapes[output])
    return graft_slice(
      outer: emitter.batch * from.dimensions[..<axis].reduce(1, *), extent: from[axis], start: places.start,
      step: places.step, count: to[axis], inner: from.dimensions[(axis + 1)...].reduce(1, *))
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = try emitter.activation(inputs[0], in: .channelsLast)
    let y = emitter.activation(emitter.program.shapes[output], .channelsLast)
    let (source, target, slice) = (x.buffer, y.buffer, slice(emitter))
    emitter.step(name, "slice", touching: [source, target]) { graft_slice_take(target.floats, source.floats, slice) }
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    let target = emitter.activation(emitter.program.shapes[inputs[0]], .channelsLast)
    let (dy, dx, slice, count) = (gradient.buffer, target.buffer, slice(emitter), emitter.count(target))
    emitter.step(name, "slice_gradient", touching: [dy, dx]) {
      if slice.count < slice.extent { graft_fill(dx.floats, 0, count) }
      graft_slice_put(dx.floats, dy.floats, slice)
    }
    try emitter.pass(target, to: inputs[0])
  }
}
