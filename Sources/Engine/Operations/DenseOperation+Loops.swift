import CKernels
import Graphs
import Tensors

/// Maps of few rows by a large table that trains, by loops of our own on the table as it is stored.
///
/// A classifier of many classes takes as long as its table takes to be read; primitives would have it brought into a
/// layout of theirs at each step, and its gradient back.
extension DenseOperation {
  /// The way there.
  ///
  /// - Returns: Whether it has been done.
  func emitLoop(_ emitter: Emitter, _ x: Emitter.Activation, _ y: Emitter.Activation) -> Bool {
    guard let shape = loopShape(emitter, x) else { return false }
    let (source, target, table, bias) = (x.buffer, y.buffer, emitter.master(kernel), bias.map(emitter.master))
    emitter.count(workload(.forward, emitter))
    emitter.step(name, "dense", touching: [source, target], operationCount: operationCount(shape.rows), in: "nc") {
      graft_dense_forward(target.floats, source.floats, table.floats, bias?.floats, shape)
    }
    return true
  }

  /// The way back.
  ///
  /// - Returns: Whether it has been done.
  func emitLoopBackward(
    _ emitter: Emitter, _ gradient: Emitter.Activation, _ x: Emitter.Activation
  ) throws(EngineError) -> Bool {
    guard let shape = loopShape(emitter, x), let place = emitter.gradient(of: kernel) else { return false }
    let (source, dy, sums, run) = (x.buffer, gradient.buffer, emitter.gradientBuffer, emitter.run)
    let biasGradient = emitter.buffer(floatCount: outputCount)
    emitter.count(workload(.parameterGradient, emitter))
    emitter.step(
      name, "dense_gradient", touching: [source, dy, sums, biasGradient], operationCount: operationCount(shape.rows),
      making: [outputCount, inputCount], in: "io"
    ) {
      graft_dense_kernel_gradient(
        sums.floats + place.offset, biasGradient.floats, source.floats, dy.floats, shape,
        place.isWritten || run.isAccumulating)
    }
    emitter.writeGradient(of: bias, from: biasGradient, name: name)
    guard emitter.needsGradient(inputs[0]) else { return true }
    let target = emitter.activation(x.shape, .channelsLast, x.type)
    let (dx, table) = (target.buffer, emitter.master(kernel))
    emitter.count(workload(.inputGradient, emitter))
    emitter.step(name, "dense", touching: [dy, dx], operationCount: operationCount(shape.rows), in: "nc") {
      graft_dense_input_gradient(dx.floats, dy.floats, table.floats, shape)
    }
    try emitter.pass(target, to: inputs[0])
    return true
  }

  /// What the loops have to know; nil where primitives are faster.
  private func loopShape(_ emitter: Emitter, _ x: Emitter.Activation) -> graft_dense? {
    guard Processor.blockWidth == 16, emitter.trains(kernel), activation == .linear, x.type == .f32,
      !emitter.options.without.contains(.loops), inputCount > 0
    else { return nil }
    let shape = graft_dense(rows: emitter.count(x) / inputCount, inputs: inputCount, outputs: outputCount)
    return graft_dense_is_fast(shape) ? shape : nil
  }
}
