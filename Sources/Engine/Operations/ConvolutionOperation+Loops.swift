import CKernels
import Graphs
import Tensors

/// Dense convolutions by loops of our own, on images in blocks of channels, where these are faster than oneDNN's.
///
/// Windows of three by three go by Winograd's minimal filtering, which needs four ninths of the multiplications: Lavin and
/// Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016. Those of one by one are products of matrices as they
/// lie there, both ways where blocks have sixteen channels; so are those with strides, for each pixel of the window. What is
/// added to the sums and what cuts them goes along.
extension ConvolutionOperation {
  /// The way there.
  ///
  /// - Returns: Whether it has been done.
  func emitLoop(
    _ emitter: Emitter, _ x: Emitter.Activation, _ y: Emitter.Activation, residual: Emitter.Activation?
  ) throws(EngineError) -> Bool {
    guard let shape = denseShape(emitter, x, y), let loop = loop(for: shape.images), let bounds = activation.bounds
    else { return false }
    let packed =
      if let packedForLoop { packedForLoop } else {
        packKernel(emitter, for: loop, shape, back: false)
      }
    packedForLoop = packed
    let bias = packBias(emitter)
    emitter.convolve(
      name, workload(.forward, emitter, by: loop, width: shape.images.width), shape, packed, x, y,
      operationCount: operationCount(y.shape) * emitter.batch, besides: [bias, residual?.buffer].compactMap(\.self)
    ) {
      graft_ending(
        bias: bias.map { UnsafePointer($0.floats) }, residual: residual.map { UnsafePointer($0.buffer.floats) },
        low: bounds.low, high: bounds.high, mask: graft_bounded(nil, x.buffer))
    }
    return true
  }

  /// The gradient of the input, with what others have given it, cut by the function that has made the input.
  ///
  /// - Returns: Whether it has been done.
  func emitInputGradientLoop(
    _ emitter: Emitter, _ gradient: Emitter.Activation, _ source: Emitter.Activation
  ) throws(EngineError) -> Bool {
    guard let shape = denseShape(emitter, source, gradient),
      let loop = loop(for: isStrided ? shape.images : shape.images.reversed(window.size)),
      source.layout == emitter.stored(inputs[0]).layout
    else { return false }
    let packed = packKernel(emitter, for: loop, shape, back: true)
    let bounds = emitter.cut(of: inputs[0])
    try emitter.contribute(to: inputs[0], isCut: bounds != nil) { target, existing in
      emitter.convolve(
        name, workload(.inputGradient, emitter, by: loop, width: shape.images.width), shape, packed, gradient, target,
        operationCount: operationCount(gradient.shape) * emitter.batch,
        besides: [source.buffer, existing].compactMap(\.self)
      ) {
        graft_ending(
          bias: nil, residual: existing.map { UnsafePointer($0.floats) }, low: -.infinity, high: .infinity,
          mask: graft_bounded(bounds, source.buffer))
      }
    }
    return true
  }

  /// The kernel as a loop wants it, for the way there or back.
  private func packKernel(
    _ emitter: Emitter, for loop: Workload.Loop, _ shape: graft_strided, back: Bool
  ) -> Buffer {
    let (inputs, outputs, width) = (shape.images.inputs, shape.images.outputs, shape.images.width)
    switch loop {
    case .winograd:
      let count =
        back ? graft_winograd_kernel_count(outputs, inputs, width) : graft_winograd_kernel_count(inputs, outputs, width)
      let pack = back ? graft_winograd_pack_back : graft_winograd_pack
      return packTable(emitter, floatCount: count) { pack($0, $1, $2, inputs, outputs, width) }
    case .strided:
      return packTable(emitter, floatCount: graft_strided_kernel_count(shape, back)) {
        graft_strided_pack($0, $1, $2, shape, back)
      }
    default: return packPanels(emitter, back: back)
    }
  }

  /// What makes the gradient of the kernel if not oneDNN.
  func kernelGradientLoop(
    _ emitter: Emitter, _ gradient: Emitter.Activation, _ source: Emitter.Activation
  ) -> Workload.Loop? {
    guard let shape = denseShape(emitter, source, gradient) else { return nil }
    if isStrided { return graft_strided_is_fast(shape) ? .strided : nil }
    return switch window.size {
    case Size2D(1) where graft_pointwise_is_fast(shape.images): .pointwise
    case Size2D(3) where graft_winograd_is_fast(shape.images): .winograd
    default: nil
    }
  }

  /// The gradients of kernel and bias.
  func emitKernelGradient(
    _ emitter: Emitter, _ gradient: Emitter.Activation, _ source: Emitter.Activation, by loop: Workload.Loop
  ) {
    guard let shape = denseShape(emitter, source, gradient) else { return }
    let images = shape.images
    let scratch = loop == .winograd ? emitter.buffer(floatCount: graft_winograd_gradient_scratch(images)) : nil
    let (x, dy) = (source.buffer, gradient.buffer)
    emitter.count(workload(.parameterGradient, emitter, by: loop, width: images.width))
    emitKernelGradient(emitter, "\(loop)_gradient", touching: [x, dy] + [scratch].compactMap(\.self)) { dw, db, adds in
      if let scratch {
        graft_winograd_gradient(dw, db, x.floats, dy.floats, images, scratch.floats, adds)
      } else if loop == .strided {
        graft_strided_gradient(dw, db, x.floats, dy.floats, shape, adds)
      } else {
        graft_pointwise_gradient(dw, db, x.floats, dy.floats, images, adds)
      }
    }
  }

  /// Adds the step of a loop that makes the gradient of the kernel as Keras has it, or adds to it, and that of the bias.
  func emitKernelGradient(
    _ emitter: Emitter, _ implementation: String, touching touched: [Buffer],
    _ compute:
      @escaping (
        _ kernel: UnsafeMutablePointer<Float>, _ bias: UnsafeMutablePointer<Float>, _ adds: Bool
      ) -> Void
  ) {
    // Straight into its place where nothing else has a part in it.
    let place =
      emitter.trains(kernel.path) && emitter.isOnlyReader(of: parameters) ? emitter.gradient(of: kernel.path) : nil
    let target = place == nil ? emitter.buffer(floatCount: kernel.rows * kernel.columns) : emitter.gradientBuffer
    let biasGradient = emitter.buffer(floatCount: kernel.columns + 64)
    let (run, offset) = (emitter.run, place?.offset ?? 0)
    emitter.step(
      name, implementation, touching: touched + [biasGradient, target],
      operationCount: operationCount(emitter.program.shapes[output]) * emitter.batch, making: kernel.dimensions
    ) {
      compute(target.floats + offset, biasGradient.floats, place.map { $0.isWritten || run.isAccumulating } ?? false)
    }
    if place != nil {
      unfoldAtLast(emitter, biasGradient)
    } else {
      unfold(emitter, kernelGradient: target, biasGradient: biasGradient)
    }
  }

  /// Whether the way there goes by Winograd's algorithm where images are in the processor's blocks.
  func goesByWinograd(_ emitter: Emitter) -> Bool { loopInBlocks(emitter) == .winograd }

  /// Whether the way there takes the pixels of the window one after the other where images are in the processor's blocks.
  func goesByStrides(_ emitter: Emitter) -> Bool { loopInBlocks(emitter) == .strided }

  /// The loop for the way there where images are in the processor's blocks.
  private func loopInBlocks(_ emitter: Emitter) -> Workload.Loop? {
    let shapes = emitter.program.shapes
    guard canLoop(emitter), activation.bounds != nil else { return nil }
    return loop(
      for: graft_convolution(
        width: Processor.blockWidth, samples: emitter.batch, from: shapes[inputs[0]], to: shapes[output], insets: insets
      ))
  }

  /// The loop for the way there or back; nil where oneDNN is faster.
  private func loop(for shape: graft_convolution) -> Workload.Loop? {
    if isStrided { return graft_strided_is_fast(graft_strided(shape, window)) ? .strided : nil }
    return switch window.size {
    case Size2D(1) where graft_pointwise_is_fast(shape) && shape.width == 16: .pointwise
    case Size2D(3) where graft_winograd_is_fast(shape): .winograd
    default: nil
    }
  }

  /// What the loops have to know; nil where they cannot do it.
  private func denseShape(
    _ emitter: Emitter, _ x: Emitter.Activation, _ y: Emitter.Activation
  ) -> graft_strided? {
    guard canLoop(emitter), x.type == .f32, y.type == .f32, case .blocked(let width) = x.layout, y.layout == x.layout
    else { return nil }
    return graft_strided(
      graft_convolution(width: width, samples: emitter.batch, from: x.shape, to: y.shape, insets: insets), window)
  }

  private var isStrided: Bool { window.strides != Size2D(1) }

  func canLoop(_ emitter: Emitter) -> Bool {
    !emitter.options.without.contains(.loops) && emitter.imageType == .f32 && kernel.dimensions.count == 4
      && window.dilation == Size2D(1)
  }
}

extension Emitter {
  /// Adds a step that convolves by a loop of our own.
  fileprivate func convolve(
    _ name: String, _ workload: Workload, _ shape: graft_strided, _ kernel: Buffer, _ x: Activation,
    _ y: Activation, operationCount: Int, besides others: [Buffer], ending: @escaping () -> graft_ending
  ) {
    let (source, target, isBack) = (x.buffer, y.buffer, workload.kind == .inputGradient)
    let images = isBack ? shape.images.reversed(workload.window.size) : shape.images
    count(workload)
    func add(_ scratch: Buffer? = nil, _ compute: @escaping () -> Void) {
      let touched = others + [kernel, source, target] + [scratch].compactMap(\.self)
      step(name, "\(workload.loop)", touching: touched, operationCount: operationCount, compute)
    }
    switch workload.loop {
    case .winograd:
      let workers = Int(EngineThreads.use(0))
      let scratch = buffer(floatCount: graft_winograd_scratch(images, workers))
      add(scratch) {
        graft_winograd(target.floats, source.floats, kernel.floats, images, ending(), scratch.floats, workers)
      }
    case .strided where isBack:
      add { graft_strided_input_gradient(target.floats, source.floats, kernel.floats, shape, ending()) }
    case .strided: add { graft_strided_convolve(target.floats, source.floats, kernel.floats, shape, ending()) }
    default: add { graft_pointwise(target.floats, source.floats, kernel.floats, images, ending()) }
    }
  }
}

extension graft_strided {
  /// A convolution of images with a window.
  init(_ images: graft_convolution, _ window: Window) {
    self.init(
      images: images, size: (window.size.height, window.size.width),
      strides: (window.strides.height, window.strides.width))
  }
}

extension graft_convolution {
  /// A convolution between images of `[H, W, C]` in blocks of `width` channels.
  init(width: Int, samples: Int, from x: Shape, to y: Shape, insets: Insets2D) {
    self.init(
      width: width, samples: samples, inputs: x[2], outputs: y[2], rows: x[0], columns: x[1], output_rows: y[0],
      output_columns: y[1], top: insets.top, left: insets.left)
  }

  /// The convolution from the gradient of the output to that of the input, for a window.
  func reversed(_ window: Size2D) -> graft_convolution {
    func turned(_ border: Int, _ extent: Int) -> Int { border < extent ? extent - 1 - border : extent }
    return graft_convolution(
      width: width, samples: samples, inputs: outputs, outputs: inputs, rows: output_rows, columns: output_columns,
      output_rows: rows, output_columns: columns, top: turned(top, window.height), left: turned(left, window.width))
  }
}
