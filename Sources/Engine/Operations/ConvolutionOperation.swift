import CDNNL
import CKernels
import Graphs
import Tensors

/// A convolution, with what has been folded and fused into it.
@EngineActor final class ConvolutionOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1

  /// The kernel as rows and columns, columns last; its axes for oneDNN.
  let kernel: Kernel
  let bias: ParameterPath?
  /// The window, with the rows and columns that are added around the input.
  var window: Window
  var insets: Insets2D
  /// The batch normalisation behind it, folded into kernel and bias.
  var normalization: FrozenNormalization?
  /// Applied last.
  var activation: ActivationFunction = .linear

  /// Where a kernel's numbers are and how a convolution reads them.
  struct Kernel {
    let path: ParameterPath
    /// The extents for oneDNN: `[O, I, H, W]`, or `[G, O, I, H, W]` with groups.
    let dimensions: [Int]
    /// The distance of neighbours along each of those axes in Keras's array.
    let strides: [Int]
    /// Keras's array as a table: the output channels are its columns.
    let rows: Int
    let columns: Int
  }

  /// The second input, added before the activation.
  var hasResidual: Bool { inputs.count > 1 }

  /// What the way back needs of the way there.
  private(set) var source: Emitter.Activation?
  private var layouts: Layouts?
  private var hint: PrimitiveDescriptor?
  private(set) var packedKernel: (buffer: Buffer, layout: MemoryDescriptor)?
  /// The kernel of the way there as a loop of our own wants it.
  var packedForLoop: Buffer?
  private var packedBias: Buffer?
  private(set) var scale: Buffer?
  /// Brings the folded kernel into every layout that a primitive wants.
  private var reorders: Reorders?

  private final class Reorders {
    var bodies: [@EngineActor () -> Void] = []
  }

  init(name: String, input: Program.ValueID, kernel: Kernel, bias: ParameterPath?, window: Window, insets: Insets2D) {
    self.name = name
    inputs = [input]
    self.kernel = kernel
    self.bias = bias
    self.window = window
    self.insets = insets
  }

  var parameters: [ParameterPath] {
    [kernel.path] + (bias.map { [$0] } ?? []) + (normalization?.parameters ?? [])
  }

  /// Multiplications and additions for one sample of the given output.
  func operationCount(_ output: Shape) -> Int { 2 * output.elementCount * kernel.rows }

  var shimWindow: graft_window { graft_window(window, insets) }

  func workload(
    _ kind: Workload.Kind, _ emitter: Emitter, by loop: Workload.Loop = .primitive, width: Int = 0
  ) -> Workload {
    let (input, output) = (emitter.program.shapes[inputs[0]], emitter.program.shapes[output])
    return Workload(
      kind: kind, input: [input[2], input[0], input[1]], output: [output[2], output[0], output[1]],
      kernel: kernel.dimensions, window: window, insets: insets, type: emitter.operandType(emitter.imageType),
      loop: loop, width: width)
  }
}

// MARK: - Forward

extension ConvolutionOperation {
  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let trains = emitter.needsGradient(output)
    let there = emitter.stored(inputs[0])
    let outputShape = emitter.program.shapes[output]
    let type = emitter.imageType
    let choice = try chooseLayouts(
      emitter, there: there.layout, input: there.shape, output: outputShape, trains: trains)
    let x = try emitter.operand(inputs[0], in: choice.source, as: type)
    let y = emitter.activation(outputShape, choice.destination, x.type)
    let residual = hasResidual ? try emitter.operand(inputs[1], in: y.layout, as: type) : nil
    if try !emitLoop(emitter, x, y, residual: residual) {
      try emitPrimitive(emitter, x, y, residual: residual, trains: trains)
    }
    emitter.set(output, y, as: type)
    guard trains else { return }
    source = x
    let layouts = (source: try emitter.descriptor(x), destination: try emitter.descriptor(y))
    self.layouts = layouts
    hint = try forward(emitter, layouts.source, layouts.destination, Attributes(), trains: true)
  }

  private func emitPrimitive(
    _ emitter: Emitter, _ x: Emitter.Activation, _ y: Emitter.Activation, residual: Emitter.Activation?, trains: Bool
  ) throws(EngineError) {
    let (xLayout, yLayout) = (try emitter.descriptor(x), try emitter.descriptor(y))
    let residualLayout = try residual.map { value throws(EngineError) in try emitter.descriptor(value) }
    let attributes = try Attributes(residual: residualLayout, eltwise: activation.eltwise)
    let descriptor = try forward(emitter, xLayout, yLayout, attributes, trains: trains)
    guard let kernelLayout = try descriptor.layout(of: dnnl_query_weights_md) else {
      throw EngineError(.primitive, subject: name, detail: "the convolution has no kernel")
    }
    // A second time round kernel and bias are there.
    let packed =
      if let packedKernel { packedKernel.buffer } else { try packKernel(emitter, for: kernelLayout) }
    var arguments: [(index: Int, layout: MemoryDescriptor, buffer: Buffer)] = [
      (graft_arg_source, xLayout, x.buffer), (graft_arg_weights, kernelLayout, packed),
      (graft_arg_destination, yLayout, y.buffer),
    ]
    if let bias = packBias(emitter) {
      arguments.append((graft_arg_bias, try biasLayout, bias))
    }
    if let residual, let residualLayout {
      arguments.append((graft_arg_first_post_op, residualLayout, residual.buffer))
    }
    emitter.count(workload(.forward, emitter))
    try emitter.step(
      name, descriptor, operationCount: operationCount(y.shape) * emitter.batch, arguments)
    if trains { packedKernel = (packed, kernelLayout) }
  }

  func forward(
    _ emitter: Emitter, _ source: MemoryDescriptor, _ destination: MemoryDescriptor, _ attributes: Attributes,
    trains: Bool
  ) throws(EngineError) -> PrimitiveDescriptor {
    let weights = try freeKernel(emitter)
    let bias = hasBias ? try biasLayout : nil
    var window = shimWindow
    return try PrimitiveDescriptor(name) { [engine = emitter.engine] handle in
      graft_convolution_forward(
        &handle, engine, trains ? dnnl_forward_training : dnnl_forward_inference, source.handle, weights.handle,
        bias?.handle, destination.handle, &window, attributes.handle)
    }
  }

  var hasBias: Bool { bias != nil || normalization != nil }

  /// The kernel in whatever layout a primitive likes.
  func freeKernel(_ emitter: Emitter) throws(EngineError) -> MemoryDescriptor {
    try MemoryDescriptor(kernel.dimensions, dnnl_format_tag_any, emitter.operandType(emitter.imageType))
  }
}

// MARK: - Kernel and bias

extension ConvolutionOperation {
  /// The kernel in the layout that a primitive wants, with the normalisation's scale folded in.
  private func packKernel(_ emitter: Emitter, for layout: MemoryDescriptor) throws(EngineError) -> Buffer {
    let master = emitter.master(kernel.path)
    let stored = try MemoryDescriptor(kernel.dimensions, strides: kernel.strides)
    let rounds = emitter.imageType == .bf16 && emitter.operandType(.bf16) == .f32
    if normalization == nil && stored == layout && !rounds { return master }
    let packedCount = layout.byteCount / 4
    return try packKernel(emitter, floatCount: (layout.byteCount + 3) / 4) { origin, packed throws(EngineError) in
      let reorder: @EngineActor () -> Void
      if let blocks = try DepthwiseBlocks(kernel, layout) {
        reorder = { blocks.pack(origin.floats, to: packed.floats) }
      } else if let blocks = try DepthwiseBlocks(kernel, layout, .bf16) {
        let wide = emitter.packed(floatCount: blocks.elementCount)
        reorder = {
          blocks.pack(origin.floats, to: wide.floats)
          graft_narrow(packed.address, wide.floats, blocks.elementCount)
        }
      } else {
        reorder = try emitter.packReorder(stored, origin, to: layout, packed)
      }
      return {
        reorder()
        if rounds { graft_round_to_bf16(packed.floats, packedCount) }
      }
    }
  }

  /// The kernel as `reader` says how to bring it from Keras's table, with the normalisation's scale folded in.
  func packKernel(
    _ emitter: Emitter, floatCount: Int,
    by reader: (_ origin: Buffer, _ packed: Buffer) throws(EngineError) -> @EngineActor () -> Void
  ) throws(EngineError) -> Buffer {
    let master = emitter.master(kernel.path)
    let packed = emitter.packed(floatCount: floatCount)
    let scale = foldedScale(emitter)
    let scratch = emitter.foldScratch
    if scale != nil { scratch.reserve(byteCount: master.byteCount) }
    let (rows, columns) = (kernel.rows, kernel.columns)
    let body = try reader(scale == nil ? master : scratch, packed)
    if let reorders {
      // The kernel is folded once for all of them.
      reorders.bodies.append(body)
      return packed
    }
    let reorders = Reorders()
    reorders.bodies = [body]
    self.reorders = reorders
    emitter.pack([kernel.path] + (normalization?.scaleParameters ?? [])) {
      if let scale { graft_scale_columns(scratch.floats, master.floats, scale.floats, rows, columns) }
      for body in reorders.bodies { body() }
    }
    return packed
  }

  /// The kernel as a loop of our own wants it, which brings it there from Keras's table with the factors of the columns.
  func packTable(
    _ emitter: Emitter, floatCount: Int,
    by reader:
      @escaping (
        _ packed: UnsafeMutablePointer<Float>, _ table: UnsafePointer<Float>, _ scale: UnsafePointer<Float>?
      ) -> Void
  ) -> Buffer {
    let (master, scale) = (emitter.master(kernel.path), foldedScale(emitter))
    let packed = emitter.packed(floatCount: floatCount)
    emitter.packTable([kernel.path] + (normalization?.scaleParameters ?? []), count: floatCount) {
      reader(packed.floats, master.floats, scale.map { UnsafePointer($0.floats) })
    }
    return packed
  }

  /// A kernel whose rows are those of a product of matrices, in panels for the way there or back.
  func packPanels(_ emitter: Emitter, back: Bool = false) -> Buffer {
    let (rows, columns) = (kernel.rows, kernel.columns)
    let pack = back ? graft_panels_pack_back : graft_panels_pack
    return packTable(emitter, floatCount: back ? graft_panels_count(columns, rows) : graft_panels_count(rows, columns))
    {
      pack($0, $1, $2, rows, columns)
    }
  }

  /// s = γ / √(σ² + ε) in memory, kept up to date; nil without a normalisation.
  private func foldedScale(_ emitter: Emitter) -> Buffer? {
    guard let normalization else { return nil }
    if let scale { return scale }
    let buffer = emitter.packed(floatCount: kernel.columns)
    let bank = emitter.parameters
    emitter.pack(normalization.scaleParameters) {
      normalization.writeScale(from: bank, to: buffer.floats)
    }
    scale = buffer
    return buffer
  }

  /// The bias, or s·(b − μ) + β where a normalisation is folded; nil where there is neither.
  func packBias(_ emitter: Emitter) -> Buffer? {
    guard let normalization else { return bias.map(emitter.master) }
    if let packedBias { return packedBias }
    guard let scale = foldedScale(emitter) else { return nil }
    let packed = emitter.packed(floatCount: kernel.columns)
    let own = bias.map(emitter.master)
    let (mean, beta) = (emitter.master(normalization.mean), normalization.beta.map(emitter.master))
    let columns = kernel.columns
    emitter.pack(normalization.parameters + (bias.map { [$0] } ?? [])) {
      for c in 0..<columns {
        packed.floats[c] =
          scale.floats[c] * ((own?.floats[c] ?? 0) - mean.floats[c]) + (beta?.floats[c] ?? 0)
      }
    }
    packedBias = packed
    return packed
  }
}

// MARK: - Backward

extension ConvolutionOperation {
  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard var gradient = emitter.takeGradient(of: output), let layouts, let hint, let source else { return }
    if try emitDepthwiseBackward(emitter, gradient, source) { return }
    gradient = try emitter.throughActivation(activation, gradient, output: emitter.stored(output), name: name)
    if hasResidual { try emitter.pass(gradient, to: inputs[1]) }
    gradient = emitter.operand(gradient)
    if try emitInvertedBackward(emitter, gradient) { return }
    try emitParameterGradients(emitter, gradient, layouts, hint, source)
    guard emitter.needsGradient(inputs[0]) else { return }
    if try emitInputGradientLoop(emitter, gradient, source) { return }
    try emitInputGradient(emitter, gradient, layouts, hint, source)
  }

  private func emitInputGradient(
    _ emitter: Emitter, _ gradient: Emitter.Activation,
    _ layouts: Layouts, _ hint: PrimitiveDescriptor,
    _ source: Emitter.Activation
  ) throws(EngineError) {
    let descriptor = try inputGradientDescriptor(emitter, layouts, hint)
    guard let kernelLayout = try descriptor.layout(of: dnnl_query_weights_md) else { return }
    let packed =
      if let packedKernel, packedKernel.layout == kernelLayout { packedKernel.buffer } else {
        try packKernel(emitter, for: kernelLayout)
      }
    emitter.count(workload(.inputGradient, emitter))
    let count = operationCount(emitter.program.shapes[output]) * emitter.batch
    func compute(_ target: Emitter.Activation) throws(EngineError) {
      try emitter.step(
        name, descriptor, operationCount: count,
        [
          (graft_arg_destination_gradient, layouts.destination, gradient.buffer),
          (graft_arg_weights, kernelLayout, packed),
          (graft_arg_source_gradient, layouts.source, target.buffer),
        ])
    }
    if source.layout == emitter.stored(inputs[0]).layout {
      try emitter.contribute(to: inputs[0], as: source.type, compute)
    } else {
      let moved = emitter.activation(source.shape, source.layout, source.type)
      try compute(moved)
      try emitter.pass(moved, to: inputs[0])
    }
  }

  /// Whether the gradient of the folded kernel is wanted.
  func kernelTrains(_ emitter: Emitter) -> Bool {
    emitter.trains(kernel.path) || emitter.trains(normalization?.gamma)
  }

  /// The gradient of the bias where it trains and the kernel does not.
  func emitBiasGradient(_ emitter: Emitter, _ gradient: Emitter.Activation) {
    guard hasBias, emitter.trains(bias) || emitter.trains(normalization?.beta) else { return }
    let biasGradient = emitter.buffer(floatCount: kernel.columns + 64)
    emitter.channelSum(of: gradient, into: biasGradient, channels: kernel.columns, name: name)
    unfold(emitter, kernelGradient: nil, biasGradient: biasGradient)
  }

  private func emitParameterGradients(
    _ emitter: Emitter, _ gradient: Emitter.Activation,
    _ layouts: Layouts, _ hint: PrimitiveDescriptor,
    _ source: Emitter.Activation
  ) throws(EngineError) {
    guard kernelTrains(emitter) else { return emitBiasGradient(emitter, gradient) }
    if let loop = kernelGradientLoop(emitter, gradient, source) {
      return emitKernelGradient(emitter, gradient, source, by: loop)
    }
    let biasGradient = emitter.buffer(floatCount: kernel.columns + 64)
    let descriptor = try kernelGradientDescriptor(emitter, layouts, hint)
    if descriptor.isReference, let blocks = DepthwiseBlocks(kernel, width: source.layout) {
      return emitDepthwiseGradients(emitter, gradient, source, blocks, biasGradient)
    }
    emitter.count(workload(.parameterGradient, emitter))
    guard let kernelLayout = try descriptor.layout(of: dnnl_query_diff_weights_md) else { return }
    let packed = emitter.buffer(floatCount: (kernelLayout.byteCount + 3) / 4)
    var arguments: [(index: Int, layout: MemoryDescriptor, buffer: Buffer)] = [
      (graft_arg_source, layouts.source, source.buffer),
      (graft_arg_destination_gradient, layouts.destination, gradient.buffer),
      (graft_arg_weights_gradient, kernelLayout, packed),
    ]
    if hasBias { arguments.append((graft_arg_bias_gradient, try biasLayout, biasGradient)) }
    try emitter.step(
      name, descriptor, operationCount: operationCount(emitter.program.shapes[output]) * emitter.batch, arguments)
    let stored = try MemoryDescriptor(kernel.dimensions, strides: kernel.strides)
    if emitter.trains(kernel.path), emitter.isOnlyReader(of: parameters) {
      try emitter.writeGradient(of: kernel.path, from: packed, kernelLayout, stored, name: name)
      return unfoldAtLast(emitter, biasGradient)
    }
    if stored == kernelLayout { return unfold(emitter, kernelGradient: packed, biasGradient: biasGradient) }
    let table = emitter.buffer(floatCount: kernel.rows * kernel.columns)
    if let blocks = try DepthwiseBlocks(kernel, kernelLayout) {
      emitter.step(name, "unpack", touching: [packed, table]) { blocks.unpack(packed.floats, to: table.floats) }
    } else {
      try emitter.reorder(name, kernelLayout, packed, to: stored, table)
    }
    unfold(emitter, kernelGradient: table, biasGradient: biasGradient)
  }
}
