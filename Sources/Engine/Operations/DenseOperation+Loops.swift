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
    guard let shape = loopShape(emitter, x), emitter.trains(kernel) else { return false }
    if emitter.lane.count > 1, emitter.isOnlyReader(of: parameters) {
      emitJointGradients(emitter, gradient.buffer, x.buffer, shape)
    } else {
      emitGradients(emitter, gradient.buffer, x.buffer, shape)
    }
    guard emitter.needsGradient(inputs[0]) else { return true }
    let target = emitter.activation(x.shape, .channelsLast, x.type)
    let (dy, dx, table) = (gradient.buffer, target.buffer, emitter.master(kernel))
    emitter.count(workload(.inputGradient, emitter))
    emitter.step(name, "dense", touching: [dy, dx], operationCount: operationCount(shape.rows), in: "nc") {
      graft_dense_input_gradient(dx.floats, dy.floats, table.floats, shape)
    }
    try emitter.pass(target, to: inputs[0])
    return true
  }

  /// The gradients of table and bias.
  private func emitGradients(_ emitter: Emitter, _ dy: Buffer, _ x: Buffer, _ shape: graft_dense) {
    guard let place = emitter.gradient(of: kernel) else { return }
    let (sums, run) = (emitter.gradientBuffer, emitter.run)
    let biasGradient = emitter.buffer(floatCount: outputCount)
    emitter.count(workload(.parameterGradient, emitter))
    emitter.step(
      name, "dense_gradient", touching: [x, dy, sums, biasGradient], operationCount: operationCount(shape.rows),
      making: [outputCount, inputCount], in: "io"
    ) {
      graft_dense_kernel_gradient(
        sums.floats + place.offset, biasGradient.floats, x.floats, dy.floats, shape,
        place.isWritten || run.isAccumulating)
    }
    emitter.writeGradient(of: bias, from: biasGradient, name: name)
  }

  /// The same for the rows of all lanes at once: to write a large table once takes less time than to add several up.
  private func emitJointGradients(_ emitter: Emitter, _ dy: Buffer, _ x: Buffer, _ shape: graft_dense) {
    guard let place = emitter.gradient(of: kernel) else { return }
    let biasPlace = emitter.gradient(of: bias)
    let (inputCount, outputCount, first) = (inputCount, outputCount, emitter.lane.index * shape.rows)
    let all = graft_dense(rows: shape.rows * emitter.lane.count, inputs: inputCount, outputs: outputCount)
    let rows = emitter.shared(floatCount: all.rows * inputCount)
    let gradients = emitter.shared(floatCount: all.rows * outputCount)
    let biasGradient = emitter.shared(floatCount: outputCount)
    emitter.step(name, "gather", touching: [x, dy]) {
      graft_copy(rows.floats + first * inputCount, x.floats, shape.rows * inputCount)
      graft_copy(gradients.floats + first * outputCount, dy.floats, shape.rows * outputCount)
    }
    let (sums, run) = (emitter.gradientBuffer, emitter.run)
    emitter.count(workload(.parameterGradient, emitter))
    let ranges = [place, biasPlace].compactMap { $0.map { $0.offset..<$0.offset + $0.count } }
    emitter.stepTogether(
      name, "dense_gradient", of: ranges, operationCount: operationCount(shape.rows),
      making: [outputCount, inputCount], in: "io"
    ) {
      let adds = run.isAccumulating
      graft_dense_kernel_gradient(
        sums.floats + place.offset, biasGradient.floats, rows.floats, gradients.floats, all, adds)
      guard let biasPlace else { return }
      let target = sums.floats + biasPlace.offset
      if adds {
        graft_accumulate(target, biasGradient.floats, biasPlace.count, graft_f32)
      } else {
        graft_copy(target, biasGradient.floats, biasPlace.count)
      }
    }
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
