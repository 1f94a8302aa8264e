import CKernels
import Graphs
import Tensors

/// Every so many pixels of an image, as a window of one by one with strides takes them.
///
/// Once they are side by side, all convolutions that read them are products of matrices like any other.
@EngineActor final class SubsamplingOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  let strides: Size2D

  init(name: String, input: Program.ValueID, strides: Size2D) {
    self.name = name
    inputs = [input]
    self.strides = strides
  }

  /// What the channels have to be a multiple of.
  static let unit = 16

  /// How the image lies when its pixels are taken: as it is, where each pixel has whole registers of numbers side by side.
  private func layout(_ emitter: Emitter) -> ActivationLayout {
    let there = emitter.stored(inputs[0])
    return emitter.view(there).width * there.type.byteCount % 32 == 0 ? there.layout : .channelsLast
  }

  /// Numbers of any type go by as so many of single precision.
  private func shape(_ emitter: Emitter, _ y: Emitter.Activation) -> graft_sampling {
    let (from, to, view) = (emitter.program.shapes[inputs[0]], y.shape, emitter.view(y))
    return graft_sampling(
      images: view.samples * view.blocks, width: view.width * y.type.byteCount / 4, rows: from[0], columns: from[1],
      output_rows: to[0], output_columns: to[1], strides: (strides.height, strides.width))
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = try emitter.activation(inputs[0], in: layout(emitter), as: emitter.stored(inputs[0]).type)
    let y = emitter.activation(emitter.program.shapes[output], x.layout, x.type)
    let (source, target, shape) = (x.buffer, y.buffer, shape(emitter, y))
    emitter.step(name, "subsample", touching: [source, target]) { graft_sample(target.floats, source.floats, shape) }
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    let (there, shape) = (emitter.stored(inputs[0]), shape(emitter, gradient))
    guard there.layout == gradient.layout, there.type == .f32, gradient.type == .f32 else {
      let target = emitter.activation(there.shape, gradient.layout, gradient.type)
      emit(emitter, from: gradient.buffer, to: target.buffer, others: nil, mask: nil, shape)
      return try emitter.pass(target, to: inputs[0])
    }
    let bounds = emitter.cut(of: inputs[0])
    try emitter.contribute(to: inputs[0], isCut: bounds != nil) { target, others in
      emit(
        emitter, from: gradient.buffer, to: target.buffer, others: others, mask: bounds.map { ($0, there.buffer) },
        shape)
    }
  }

  /// Adds the step that puts gradients where their pixels were.
  private func emit(
    _ emitter: Emitter, from dy: Buffer, to dx: Buffer, others: Buffer?,
    mask: (bounds: (low: Float, high: Float), values: Buffer)?, _ shape: graft_sampling
  ) {
    emitter.step(name, "subsample_gradient", touching: [dy, dx] + [others, mask?.values].compactMap(\.self)) {
      graft_sample_gradient(
        dx.floats, dy.floats, others.map { UnsafePointer($0.floats) },
        mask.map { graft_bounded($0.bounds, $0.values) } ?? graft_bounded(values: nil, low: 0, high: 0), shape)
    }
  }
}
