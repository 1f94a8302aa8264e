import CKernels
import Graphs
import Tensors

/// The way back through expansion, depthwise convolution and projection in one go.
///
/// The gradients of the many channels in between never reach memory, and what these channels were is read once: by
/// themselves the three go through them eight times.
extension ConvolutionOperation {
  /// The way back from this projection's output to the expansion's input, with the gradients of all three kernels.
  ///
  /// - Returns: Whether it has been done.
  func emitInvertedBackward(_ emitter: Emitter, _ gradient: Emitter.Activation) throws(EngineError) -> Bool {
    guard let way = try InvertedWayBack(to: self, emitter, gradient) else { return false }
    try way.emit(emitter)
    return true
  }
}

/// An inverted residual that a gradient goes back through.
@EngineActor private struct InvertedWayBack {
  private let expansion: ConvolutionOperation
  private let depthwise: ConvolutionOperation
  private let projection: ConvolutionOperation
  private let shape: graft_inverted
  private let images: (x: Emitter.Activation, expanded: Emitter.Activation, filtered: Emitter.Activation)
  private let gradient: Emitter.Activation
  /// The window in blocks, as the way there has it.
  private let blocks: DepthwiseBlocks
  private let window: Buffer

  private typealias Bounds = (low: Float, high: Float)

  /// What there is to know; nil where the three do not go together.
  init?(to projection: ConvolutionOperation, _ emitter: Emitter, _ gradient: Emitter.Activation) throws(EngineError) {
    let without = emitter.options.without
    guard emitter.imageType == .f32, without.isDisjoint(with: [.fuse, .loops, .layout]), projection.isPointwise,
      let depthwise = emitter.convolution(making: projection.inputs[0]), depthwise.isDepthwise,
      let expansion = emitter.convolution(making: depthwise.inputs[0]), expansion.isPointwise,
      let window = depthwise.packedKernel, let x = expansion.source
    else { return nil }
    let (expanded, filtered) = (emitter.stored(expansion.output), emitter.stored(depthwise.output))
    let layout = ActivationLayout.blocked(Processor.blockWidth)
    guard x.layout == emitter.stored(expansion.inputs[0]).layout,
      [x, expanded, filtered, gradient].allSatisfy({ $0.layout == layout && $0.type == .f32 }),
      let blocks = DepthwiseBlocks(depthwise.kernel, width: layout),
      try blocks == DepthwiseBlocks(depthwise.kernel, window.layout)
    else { return nil }
    guard [expansion, depthwise, projection].allSatisfy({ $0.kernelTrains(emitter) }),
      [expansion, depthwise].allSatisfy(\.endsInCut)
    else { return nil }
    shape = graft_inverted(
      width: Processor.blockWidth, samples: emitter.batch, inputs: x.shape[2], expanded: expanded.shape[2],
      outputs: gradient.shape[2], rows: x.shape[0], columns: x.shape[1], output_rows: gradient.shape[0],
      output_columns: gradient.shape[1], size: depthwise.window.size.height, stride: depthwise.window.strides.height,
      top: depthwise.insets.top, left: depthwise.insets.left, sample: 0, block: 0, pixel: 0, low: (0, 0, 0),
      high: (0, 0, 0))
    // On one thread; images so small stay near the processor anyway.
    guard EngineThreads.use(0) == 1, shape.rows * shape.columns > 64, graft_inverted_has_backward(shape) else {
      return nil
    }
    self.expansion = expansion
    self.depthwise = depthwise
    self.projection = projection
    self.gradient = gradient
    self.blocks = blocks
    self.window = window.buffer
    images = (x, expanded, filtered)
  }

  func emit(_ emitter: Emitter) throws(EngineError) {
    let bounds = emitter.cut(of: expansion.inputs[0])
    guard emitter.needsGradient(expansion.inputs[0]) else { return try emit(emitter, nil, others: nil, bounds: nil) }
    try emitter.contribute(to: expansion.inputs[0], isCut: bounds != nil) { target, others throws(EngineError) in
      try emit(emitter, target.buffer, others: others, bounds: bounds)
    }
  }

  private func emit(
    _ emitter: Emitter, _ target: Buffer?, others: Buffer?, bounds: Bounds?
  ) throws(EngineError) {
    let width = shape.width
    func padded(_ count: Int) -> Int { (count + width - 1) / width * width }
    let (inputs, channels, outputs) = (shape.inputs, shape.expanded, shape.outputs)
    let panels = (
      expand: expansion.packPanels(emitter, back: true), project: projection.packPanels(emitter, back: true)
    )
    let expand = (
      kernel: emitter.buffer(floatCount: padded(inputs) * channels), bias: emitter.buffer(floatCount: channels)
    )
    let filter = (
      packed: emitter.buffer(floatCount: blocks.elementCount),
      kernel: emitter.buffer(floatCount: depthwise.kernel.rows * channels), bias: emitter.buffer(floatCount: channels)
    )
    let project = (
      kernel: emitter.buffer(floatCount: channels * padded(outputs)), bias: emitter.buffer(floatCount: padded(outputs))
    )
    let scratch = emitter.buffer(floatCount: graft_inverted_backward_scratch(shape))
    count(emitter)
    let (x, expanded, filtered, dy) = (
      images.x.buffer, images.expanded.buffer, images.filtered.buffer, gradient.buffer
    )
    let cuts = (expansion: expansion.cut, depthwise: depthwise.cut)
    let touched = [
      x, expanded, filtered, dy, panels.expand, panels.project, window, expand.kernel, expand.bias, filter.packed,
      filter.kernel, filter.bias, project.kernel, project.bias, scratch,
    ]
    emitter.step(
      projection.name, "inverted_backward", touching: touched + [target, others].compactMap(\.self),
      operationCount: operationCount(emitter, reachesInput: target != nil)
    ) { [shape, blocks, window] in
      let way = graft_inverted_way_back(
        x: x.floats, expanded: expanded.floats, filtered: filtered.floats, dy: dy.floats,
        others: others.map { UnsafePointer($0.floats) }, x_mask: graft_bounded(bounds, x),
        expanded_mask: graft_bounded(cuts.expansion, expanded), filtered_mask: graft_bounded(cuts.depthwise, filtered),
        expand_back: panels.expand.floats, depthwise: window.floats, project_back: panels.project.floats,
        dx: target?.floats, expand_gradient: expand.kernel.floats, expand_bias_gradient: expand.bias.floats,
        depthwise_gradient: filter.packed.floats, depthwise_bias_gradient: filter.bias.floats,
        project_gradient: project.kernel.floats, project_bias_gradient: project.bias.floats)
      graft_inverted_backward(way, shape, scratch.floats)
      blocks.unpack(filter.packed.floats, to: filter.kernel.floats)
      guard padded(outputs) > outputs else { return }
      for row in 1..<max(1, channels) {
        (project.kernel.floats + row * outputs).update(
          from: project.kernel.floats + row * padded(outputs), count: outputs)
      }
    }
    projection.unfold(emitter, kernelGradient: project.kernel, biasGradient: project.bias)
    depthwise.unfold(emitter, kernelGradient: filter.kernel, biasGradient: filter.bias)
    expansion.unfold(emitter, kernelGradient: expand.kernel, biasGradient: expand.bias)
  }

  /// Says what the step's convolutions are.
  private func count(_ emitter: Emitter) {
    emitter.count(depthwise.depthwiseWorkload(emitter, width: shape.width))
    for part in [projection, expansion] {
      for kind in [Workload.Kind.parameterGradient, .inputGradient] {
        let isWhole = part.kernel.rows.isMultiple(of: shape.width) && part.kernel.columns.isMultiple(of: shape.width)
        emitter.count(
          part.workload(kind, emitter, by: isWhole ? .pointwise : .primitive, width: isWhole ? shape.width : 0))
      }
    }
  }

  private func operationCount(_ emitter: Emitter, reachesInput: Bool) -> Int {
    func each(_ part: ConvolutionOperation) -> Int { part.operationCount(emitter.program.shapes[part.output]) }
    return emitter.batch * (2 * each(projection) + 2 * each(depthwise) + (reachesInput ? 2 : 1) * each(expansion))
  }
}

extension ConvolutionOperation {
  /// Whether nothing comes behind it but a cut, if that.
  fileprivate var endsInCut: Bool { !hasResidual && (activation == .linear || activation.onlyCuts) }

  /// What the function behind it cuts to.
  fileprivate var cut: (low: Float, high: Float)? { activation.onlyCuts ? activation.bounds : nil }
}

extension Emitter {
  /// The convolution that makes a value which nobody else reads, and whose own values are at hand.
  fileprivate func convolution(making value: ValueID) -> ConvolutionOperation? {
    guard valueReaderCounts[value] == 1, needsGradient(value), gradients[value] == nil, let place = makers[value],
      atHand.contains(place)
    else { return nil }
    return program.operations[place] as? ConvolutionOperation
  }
}
