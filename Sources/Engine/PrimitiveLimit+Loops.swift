import CKernels
import Graphs
import Tensors

@EngineActor extension Workload {
  /// The loop with memory of its own.
  func ownStep(samples: Int) throws(EngineError) -> Step {
    if loop == .depthwise { return try depthwiseStep(samples: samples) }
    if loop == .stem { return try stemStep(samples: samples) }
    var shape = graft_convolution(
      width: width, samples: samples, from: Shape([input[1], input[2], input[0]]),
      to: Shape([output[1], output[2], output[0]]),
      insets: insets)
    if loop == .strided { return try stridedStep(graft_strided(shape, window)) }
    if kind == .inputGradient { shape = shape.reversed(window.size) }
    var storage: [AlignedMemory] = []
    func memory(_ count: Int) throws(EngineError) -> UnsafeMutablePointer<Float>? { try floats(count, &storage) }
    let x = try memory(samples * shape.inputs * shape.rows * shape.columns)
    let y = try memory(samples * shape.outputs * shape.output_rows * shape.output_columns)
    let ending = graft_ending(
      bias: nil, residual: nil, low: -.infinity, high: .infinity, mask: graft_bounded(values: nil, low: 0, high: 0))
    let body: () -> Void
    switch (kind, loop) {
    case (.parameterGradient, .winograd):
      let (dw, db) = (try memory(kernel.reduce(1, *)), try memory(shape.outputs))
      let scratch = try memory(graft_winograd_gradient_scratch(shape))
      body = { [shape] in graft_winograd_gradient(dw, db, x, y, shape, scratch, false) }
    case (.parameterGradient, _):
      let (dw, db) = (try memory(kernel.reduce(1, *)), try memory(shape.outputs))
      body = { [shape] in graft_pointwise_gradient(dw, db, x, y, shape, false) }
    case (_, .pointwise):
      let panels = try memory(graft_panels_count(shape.inputs, shape.outputs))
      body = { [shape] in graft_pointwise(y, x, panels, shape, ending) }
    default:
      let workers = EngineThreads.use(0)
      let packed = try memory(graft_winograd_kernel_count(shape.inputs, shape.outputs, width))
      let scratch = try memory(graft_winograd_scratch(shape, workers))
      body = { [shape] in graft_winograd(y, x, packed, shape, ending, scratch, workers) }
    }
    return Step(name: "limit", implementation: "\(loop)") { [storage] in withExtendedLifetime(storage, body) }
  }

  /// Windows of several pixels with strides.
  private func stridedStep(_ shape: graft_strided) throws(EngineError) -> Step {
    let images = shape.images
    var storage: [AlignedMemory] = []
    func memory(_ count: Int) throws(EngineError) -> UnsafeMutablePointer<Float>? { try floats(count, &storage) }
    let x = try memory(images.samples * input.reduce(1, *))
    let y = try memory(images.samples * output.reduce(1, *))
    let packed = try memory(graft_strided_kernel_count(shape, kind == .inputGradient))
    let (dw, db) = (try memory(kernel.reduce(1, *)), try memory(images.outputs))
    let ending = graft_ending(
      bias: nil, residual: nil, low: -.infinity, high: .infinity, mask: graft_bounded(values: nil, low: 0, high: 0))
    let kind = kind
    return Step(name: "limit", implementation: "\(loop)") { [storage] in
      withExtendedLifetime(storage) {
        switch kind {
        case .forward: graft_strided_convolve(y, x, packed, shape, ending)
        case .inputGradient: graft_strided_input_gradient(x, y, packed, shape, ending)
        case .parameterGradient: graft_strided_gradient(dw, db, x, y, shape, false)
        }
      }
    }
  }

  /// The way back through a depthwise convolution.
  private func depthwiseStep(samples: Int) throws(EngineError) -> Step {
    let shape = graft_depthwise(
      samples: samples, blocks: input[0] / width, width: width, rows: input[1], columns: input[2],
      output_rows: output[1], output_columns: output[2], size: (window.size.height, window.size.width),
      strides: (window.strides.height, window.strides.width),
      dilation: (window.dilation.height, window.dilation.width), before: (insets.top, insets.left))
    var storage: [AlignedMemory] = []
    func memory(_ count: Int) throws(EngineError) -> UnsafeMutablePointer<Float>? { try floats(count, &storage) }
    let (count, outputCount) = (samples * input.reduce(1, *), samples * output.reduce(1, *))
    let (x, dx, dy) = (try memory(count), try memory(count), try memory(outputCount))
    let (w, dw, db) = (try memory(kernel.reduce(1, *)), try memory(kernel.reduce(1, *)), try memory(input[0]))
    let scratch = try memory(graft_depthwise_backward_scratch(shape))
    let mask = graft_bounded(values: nil, low: 0, high: 0)
    return Step(name: "limit", implementation: "\(loop)") { [storage] in
      withExtendedLifetime(storage) { graft_depthwise_backward(dx, dw, db, x, mask, w, dy, mask, shape, scratch) }
    }
  }

  /// A first convolution, or the gradient of its kernel.
  private func stemStep(samples: Int) throws(EngineError) -> Step {
    let shape = graft_stem(
      samples: samples, channels: input[0], outputs: output[0], rows: input[1], columns: input[2],
      output_rows: output[1], output_columns: output[2], size: (window.size.height, window.size.width),
      strides: (window.strides.height, window.strides.width), top: insets.top, left: insets.left, scale: nil, shift: nil
    )
    var storage: [AlignedMemory] = []
    func memory(_ count: Int) throws(EngineError) -> UnsafeMutablePointer<Float>? { try floats(count, &storage) }
    let (x, y) = (try memory(samples * input.reduce(1, *)), try memory(samples * output.reduce(1, *)))
    let workers = Int(EngineThreads.use(0))
    let count = kernel.reduce(1, *)
    let uncut = graft_bounded(values: nil, low: 0, high: 0)
    let body: () -> Void
    if kind == .forward {
      let panels = try memory(graft_panels_count(count / shape.outputs, shape.outputs))
      let scratch = try memory(graft_stem_scratch(shape, workers))
      let ending = graft_ending(bias: nil, residual: nil, low: -.infinity, high: .infinity, mask: uncut)
      body = { graft_stem_forward(y, x, panels, shape, ending, scratch, workers) }
    } else {
      let (dw, db) = (try memory(count), try memory(shape.outputs))
      let scratch = try memory(graft_stem_gradient_scratch(shape, workers))
      body = { graft_stem_gradient(dw, db, x, y, uncut, shape, scratch, workers, false) }
    }
    return Step(name: "limit", implementation: "\(loop)") { [storage] in withExtendedLifetime(storage, body) }
  }

  /// Memory that is kept in `storage`.
  private func floats(
    _ count: Int, _ storage: inout [AlignedMemory]
  ) throws(EngineError) -> UnsafeMutablePointer<Float>? {
    let memory = try AlignedMemory(byteCount: count * 4, subject: "limit")
    storage.append(memory)
    return memory.floats.baseAddress
  }
}
