import CKernels
import Graphs
import Tensors

/// The way back through depthwise convolutions, which are bounded by memory: few sums for each number that is read.
extension ConvolutionOperation {
  /// Adds one step for all gradients of a depthwise convolution in blocks, between the functions on both of its sides.
  ///
  /// - Returns: Whether it has been done.
  func emitDepthwiseBackward(
    _ emitter: Emitter, _ gradient: Emitter.Activation, _ source: Emitter.Activation
  ) throws(EngineError) -> Bool {
    let y = emitter.stored(output)
    guard kernelTrains(emitter), !hasResidual, !emitter.options.without.contains(.fuse),
      activation == .linear || activation.onlyCuts, emitter.imageType == .f32, gradient.type == .f32, y.type == .f32,
      source.layout == emitter.stored(inputs[0]).layout, source.layout == y.layout, source.layout == gradient.layout,
      let packedKernel, let blocks = DepthwiseBlocks(kernel, width: source.layout),
      try blocks == DepthwiseBlocks(kernel, packedKernel.layout)
    else { return false }
    let shape = shape(emitter, source, output: y.shape)
    guard graft_depthwise_has_backward(shape) else { return false }
    let packed = emitter.buffer(floatCount: blocks.elementCount)
    let table = emitter.buffer(floatCount: kernel.rows * kernel.columns)
    let biasGradient = emitter.buffer(floatCount: kernel.columns + 64)
    let scratch = emitter.buffer(floatCount: graft_depthwise_backward_scratch(shape))
    let (x, dy, w) = (source.buffer, gradient.buffer, packedKernel.buffer)
    let own = activation.onlyCuts ? activation.bounds : nil
    let before = emitter.cut(of: inputs[0])
    func compute(_ target: Emitter.Activation?) {
      let dx = target?.buffer
      if target != nil { emitter.count(depthwiseWorkload(emitter, width: shape.width)) }
      emitter.step(
        name, "depthwise_backward",
        touching: [x, dy, w, y.buffer, packed, table, biasGradient, scratch] + (dx.map { [$0] } ?? []),
        operationCount: operationCount(y.shape) * emitter.batch * (target == nil ? 1 : 2)
      ) {
        graft_depthwise_backward(
          dx?.floats, packed.floats, biasGradient.floats, x.floats, graft_bounded(before, x), w.floats, dy.floats,
          graft_bounded(own, y.buffer), shape, scratch.floats)
        blocks.unpack(packed.floats, to: table.floats)
      }
    }
    if emitter.needsGradient(inputs[0]) {
      try emitter.contribute(to: inputs[0], isCut: before != nil, compute)
    } else {
      compute(nil)
    }
    unfold(emitter, kernelGradient: table, biasGradient: biasGradient)
    return true
  }

  /// Both gradients, in blocks of so many channels.
  func depthwiseWorkload(_ emitter: Emitter, width: Int) -> Workload {
    workload(.parameterGradient, emitter, by: .depthwise, width: width)
  }

  /// The kernel gradient of a depthwise convolution for whose window oneDNN has nothing but its reference loop.
  func emitDepthwiseGradients(
    _ emitter: Emitter, _ gradient: Emitter.Activation, _ source: Emitter.Activation, _ blocks: DepthwiseBlocks,
    _ biasGradient: Buffer
  ) {
    let (gradient, source) = (emitter.single(gradient), emitter.single(source))
    let packed = emitter.buffer(floatCount: blocks.elementCount)
    let table = emitter.buffer(floatCount: kernel.rows * kernel.columns)
    let shape = shape(emitter, source, output: gradient.shape)
    let (x, dy) = (source.buffer, gradient.buffer)
    emitter.step(
      name, "depthwise_kernel_gradient", touching: [x, dy, packed, table],
      operationCount: operationCount(gradient.shape) * emitter.batch
    ) {
      graft_depthwise_kernel_gradient(packed.floats, x.floats, dy.floats, shape)
      blocks.unpack(packed.floats, to: table.floats)
    }
    if hasBias { emitter.channelSum(of: gradient, into: biasGradient, channels: kernel.columns, name: name) }
    unfold(emitter, kernelGradient: table, biasGradient: biasGradient)
  }

  private func shape(_ emitter: Emitter, _ source: Emitter.Activation, output: Shape) -> graft_depthwise {
    let view = emitter.view(source)
    return graft_depthwise(
      samples: view.samples, blocks: view.blocks, width: view.width, rows: source.shape[0], columns: source.shape[1],
      output_rows: output[0], output_columns: output[1], size: (window.size.height, window.size.width),
      strides: (window.strides.height, window.strides.width),
      dilation: (window.dilation.height, window.dilation.width), before: (insets.top, insets.left))
  }
}

extension graft_bounded {
  /// A value in a buffer that has been cut; nothing where there are no bounds.
  init(_ bounds: (low: Float, high: Float)?, _ buffer: Buffer) {
    guard let bounds else {
      self.init(values: nil, low: 0, high: 0)
      return
    }
    self.init(values: UnsafePointer(buffer.floats), low: bounds.low, high: bounds.high)
  }
}
