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
  private let strides: Size2D

  init(name: String, input: Program.ValueID, strides: Size2D) {
    self.name = name
    inputs = [input]
    self.strides = strides
  }

  private let layout = ActivationLayout.blocked(16)

  private func shape(_ emitter: Emitter) -> graft_sampling {
    let (from, to) = (emitter.program.shapes[inputs[0]], emitter.program.shapes[output])
    return graft_sampling(
      images: emitter.batch * from[2] / 16, rows: from[0], columns: from[1], output_rows: to[0], output_columns: to[1],
      strides: (strides.height, strides.width))
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = try emitter.activation(inputs[0], in: layout)
    let y = emitter.activation(emitter.program.shapes[output], layout)
    let (source, target, shape) = (x.buffer, y.buffer, shape(emitter))
    emitter.step(name, "subsample", touching: [source, target]) { graft_sample(target.floats, source.floats, shape) }
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    let (there, shape) = (emitter.stored(inputs[0]), shape(emitter))
    guard there.layout == layout else {
      let target = emitter.activation(there.shape, layout)
      emit(emitter, from: gradient.buffer, to: target.buffer, others: nil, mask: nil, shape)
      return try emitter.pass(target, to: inputs[0])
    }
    let function = emitter.function(of: inputs[0])
    let bounds = function.flatMap { $0.onlyCuts ? $0.bounds : nil }
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

extension Program {
  /// Takes the strides out of windows of one by one that train: what they read is brought together once for all of them.
  mutating func subsampleInputs() {
    guard ConvolutionOperation.hasPointwiseLoops else { return }
    var samples: [Sampling: ValueID] = [:]
    let old = operations
    operations = []
    for operation in old {
      if let convolution = operation as? ConvolutionOperation, needsGradient[convolution.output],
        let strides = convolution.takenStrides
      {
        let sampling = Sampling(value: convolution.inputs[0], strides: strides)
        let (x, y) = (shapes[sampling.value], shapes[convolution.output])
        convolution.inputs[0] =
          samples[sampling]
          ?? append(
            SubsamplingOperation(name: convolution.name, input: sampling.value, strides: strides),
            shape: [y[0], y[1], x[2]])
        samples[sampling] = convolution.inputs[0]
        convolution.window.strides = Size2D(1)
      }
      operations.append(operation)
    }
  }

  private struct Sampling: Hashable {
    let value: ValueID
    let strides: Size2D
  }
}

extension ConvolutionOperation {
  /// Whether windows of one by one go by a loop of our own, where channels lie in whole blocks.
  static let hasPointwiseLoops = Processor.blockWidth == 16

  /// The strides of a window of one by one over whole blocks of channels; nil where there are none.
  fileprivate var takenStrides: Size2D? {
    guard kernel.dimensions.count == 4, window.size == Size2D(1), window.strides != Size2D(1), insets == Insets2D(),
      kernel.rows.isMultiple(of: 16), kernel.columns.isMultiple(of: 16)
    else { return nil }
    return window.strides
  }
}
