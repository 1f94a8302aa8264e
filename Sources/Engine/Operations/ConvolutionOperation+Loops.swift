import CKernels
import Graphs
import Tensors

/// Dense convolutions by loops of our own, on images in blocks of channels, where these are faster than oneDNN's.
///
/// Windows of three by three go by Winograd's minimal filtering, which needs four ninths of the multiplications: Lavin and
/// Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016. The gradients of kernels of one by one are sums over
/// pixels of products of blocks as they lie there.
extension ConvolutionOperation {
  /// The way there.
  ///
  /// - Returns: Whether it has been done.
  func emitWinograd(
    _ emitter: Emitter, _ x: Emitter.Activation, _ y: Emitter.Activation, residual: Emitter.Activation?
  ) throws(EngineError) -> Bool {
    guard let shape = denseShape(emitter, x, y), isFastByWinograd(shape), let bounds = activation.bounds
    else { return false }
    let (inputs, outputs, width) = (shape.inputs, shape.outputs, shape.width)
    let packed =
      if let winogradKernel { winogradKernel } else {
        try packKernel(emitter, floatCount: graft_winograd_kernel_count(inputs, outputs, width)) { origin, packed in
          { graft_winograd_pack(packed.floats, origin.floats, inputs, outputs, width) }
        }
      }
    winogradKernel = packed
    let bias = packBias(emitter)
    emitter.winograd(
      name, workload(.forward, emitter, by: .winograd, width: width), shape, packed, x, y,
      operationCount: operationCount(y.shape) * emitter.batch, besides: [bias, residual?.buffer].compactMap(\.self)
    ) {
      graft_ending(
        bias: bias.map { UnsafePointer($0.floats) }, residual: residual.map { UnsafePointer($0.buffer.floats) },
        low: bounds.low, high: bounds.high, mask: graft_bounded(nil, x.buffer))
    }
    return true
  }

  /// The gradient of the input, cut by the function that has made the input.
  ///
  /// - Returns: Whether it has been done.
  func emitWinogradInputGradient(
    _ emitter: Emitter, _ gradient: Emitter.Activation, _ source: Emitter.Activation
  ) throws(EngineError) -> Bool {
    guard let shape = denseShape(emitter, source, gradient), window.size == Size2D(3),
      source.layout == emitter.stored(inputs[0]).layout, graft_winograd_is_fast(shape.reversed)
    else { return false }
    let (inputs, outputs, width) = (shape.inputs, shape.outputs, shape.width)
    let packed = try packKernel(emitter, floatCount: graft_winograd_kernel_count(outputs, inputs, width)) {
      origin, packed in
      { graft_winograd_pack_back(packed.floats, origin.floats, inputs, outputs, width) }
    }
    let function = emitter.options.without.contains(.fuse) ? nil : emitter.function(of: self.inputs[0])
    let bounds = function.flatMap { $0.onlyCuts ? $0.bounds : nil }
    try emitter.contribute(to: self.inputs[0], isCut: bounds != nil) { target in
      emitter.winograd(
        name, workload(.inputGradient, emitter, by: .winograd, width: width), shape.reversed, packed, gradient, target,
        operationCount: operationCount(gradient.shape) * emitter.batch, besides: [source.buffer]
      ) {
        graft_ending(
          bias: nil, residual: nil, low: -.infinity, high: .infinity, mask: graft_bounded(bounds, source.buffer))
      }
    }
    return true
  }

  /// What makes the gradient of the kernel if not oneDNN.
  func kernelGradientLoop(
    _ emitter: Emitter, _ gradient: Emitter.Activation, _ source: Emitter.Activation
  ) -> Workload.Loop? {
    guard let shape = denseShape(emitter, source, gradient) else { return nil }
    return switch window.size {
    case Size2D(1) where graft_pointwise_is_fast(shape): .pointwise
    case Size2D(3) where graft_winograd_is_fast(shape): .winograd
    default: nil
    }
  }

  /// The gradients of kernel and bias.
  func emitKernelGradient(
    _ emitter: Emitter, _ gradient: Emitter.Activation, _ source: Emitter.Activation, by loop: Workload.Loop,
    _ biasGradient: Buffer
  ) {
    guard let shape = denseShape(emitter, source, gradient) else { return }
    // Straight into its place where nothing else has a part in it.
    let place =
      emitter.trains(kernel.path) && emitter.isOnlyReader(of: parameters) ? emitter.gradient(of: kernel.path) : nil
    let target = place == nil ? emitter.buffer(floatCount: kernel.rows * kernel.columns) : emitter.gradientBuffer
    let scratch = loop == .winograd ? emitter.buffer(floatCount: graft_winograd_gradient_scratch(shape)) : nil
    let (x, dy, run, offset) = (source.buffer, gradient.buffer, emitter.run, place?.offset ?? 0)
    emitter.count(workload(.parameterGradient, emitter, by: loop, width: shape.width))
    emitter.step(
      name, "\(loop)_gradient", touching: [x, dy, biasGradient, target] + [scratch].compactMap(\.self),
      operationCount: operationCount(gradient.shape) * emitter.batch, making: kernel.dimensions
    ) {
      let sums = target.floats + offset
      let adds = place.map { $0.isWritten || run.isAccumulating } ?? false
      if let scratch {
        graft_winograd_gradient(sums, biasGradient.floats, x.floats, dy.floats, shape, scratch.floats, adds)
      } else {
        graft_pointwise_gradient(sums, biasGradient.floats, x.floats, dy.floats, shape, adds)
      }
    }
    if place != nil {
      unfoldAtLast(emitter, biasGradient)
    } else {
      unfold(emitter, kernelGradient: target, biasGradient: biasGradient)
    }
  }

  /// Whether the way there goes by Winograd's algorithm where images are in the processor's blocks.
  func goesByWinograd(_ emitter: Emitter) -> Bool {
    let shapes = emitter.program.shapes
    guard canLoop(emitter) else { return false }
    return activation.bounds != nil
      && isFastByWinograd(
        graft_convolution(
          width: Processor.blockWidth, samples: emitter.batch, from: shapes[inputs[0]], to: shapes[output],
          insets: insets))
  }

  private func isFastByWinograd(_ shape: graft_convolution) -> Bool {
    window.size == Size2D(3) && graft_winograd_is_fast(shape)
  }

  /// What the loops have to know; nil where they cannot do it.
  private func denseShape(
    _ emitter: Emitter, _ x: Emitter.Activation, _ y: Emitter.Activation
  ) -> graft_convolution? {
    guard canLoop(emitter), x.type == .f32, y.type == .f32, case .blocked(let width) = x.layout, y.layout == x.layout
    else { return nil }
    return graft_convolution(width: width, samples: emitter.batch, from: x.shape, to: y.shape, insets: insets)
  }

  private func canLoop(_ emitter: Emitter) -> Bool {
    !emitter.options.without.contains(.loops) && emitter.imageType == .f32 && kernel.dimensions.count == 4
      && window.strides == Size2D(1) && window.dilation == Size2D(1)
  }
}

extension Emitter {
  /// Adds a step that convolves by Winograd's algorithm.
  fileprivate func winograd(
    _ name: String, _ workload: Workload, _ shape: graft_convolution, _ kernel: Buffer, _ x: Activation,
    _ y: Activation, operationCount: Int, besides others: [Buffer], ending: @escaping () -> graft_ending
  ) {
    let workers = Int(EngineThreads.use(0))
    let scratch = buffer(floatCount: graft_winograd_scratch(shape, workers))
    let (source, target) = (x.buffer, y.buffer)
    count(workload)
    step(
      name, "winograd", touching: others + [kernel, scratch, source, target], operationCount: operationCount
    ) {
      graft_winograd(
        target.floats, source.floats, kernel.floats, shape, ending(), scratch.floats, workers)
    }
  }
}

extension graft_convolution {
  /// A convolution between images of `[H, W, C]` in blocks of `width` channels.
  init(width: Int, samples: Int, from x: Shape, to y: Shape, insets: Insets2D) {
    self.init(
      width: width, samples: samples, inputs: x[2], outputs: y[2], rows: x[0], columns: x[1], output_rows: y[0],
      output_columns: y[1], top: insets.top, left: insets.left)
  }

  /// The convolution from the gradient of the output to that of the input, for windows of three by three.
  var reversed: graft_convolution {
    graft_convolution(
      width: width, samples: samples, inputs: outputs, outputs: inputs, rows: output_rows, columns: output_columns,
      output_rows: rows, output_columns: columns, top: top < 3 ? 2 - top : 3, left: left < 3 ? 2 - left : 3)
  }
}
