import CDNNL
import CKernels
import Graphs
import Tensors

/// A linear map of the last axis.
@EngineActor final class DenseOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  let kernel: ParameterPath
  let bias: ParameterPath?
  let inputCount: Int
  let outputCount: Int
  /// Applied last.
  var activation: ActivationFunction = .linear

  private var layouts: (source: MemoryDescriptor, destination: MemoryDescriptor)?
  private var packedKernel: (buffer: Buffer, layout: MemoryDescriptor)?

  init(
    name: String, input: Program.ValueID, kernel: ParameterPath, bias: ParameterPath?, inputCount: Int, outputCount: Int
  ) {
    self.name = name
    inputs = [input]
    self.kernel = kernel
    self.bias = bias
    self.inputCount = inputCount
    self.outputCount = outputCount
  }

  var parameters: [ParameterPath] { [kernel] + (bias.map { [$0] } ?? []) }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let type = type(emitter)
    let x = try emitter.operand(inputs[0], in: .channelsLast, as: type)
    let y = emitter.activation(emitter.program.shapes[output], .channelsLast, x.type)
    if emitLoop(emitter, x, y) { return emitter.set(output, y, as: type) }
    let rows = emitter.count(x) / max(1, inputCount)
    let source = try MemoryDescriptor(dense: [rows, inputCount], x.type)
    let destination = try MemoryDescriptor(dense: [rows, outputCount], x.type)
    let descriptor = try forward(emitter, source, destination, Attributes(eltwise: activation.eltwise))
    guard let layout = try descriptor.layout(of: dnnl_query_weights_md) else { return }
    // A second time round the kernel is there.
    let packed = if let packedKernel { packedKernel.buffer } else { try pack(emitter, for: layout) }
    var arguments: [(index: Int, layout: MemoryDescriptor, buffer: Buffer)] = [
      (graft_arg_source, source, x.buffer), (graft_arg_weights, layout, packed),
      (graft_arg_destination, destination, y.buffer),
    ]
    if let bias {
      arguments.append(
        (graft_arg_bias, try MemoryDescriptor(dense: [outputCount]), emitter.master(bias)))
    }
    emitter.count(workload(.forward, emitter))
    try emitter.step(name, descriptor, operationCount: operationCount(rows), arguments)
    emitter.set(output, y, as: type)
    layouts = (source, destination)
    packedKernel = (packed, layout)
  }

  /// What is computed with: a map of an image's pixels is a convolution by another name, one of vectors is exact.
  func type(_ emitter: Emitter) -> NumberType {
    emitter.program.shapes[inputs[0]].rank == 3 ? emitter.imageType : .f32
  }

  /// The kernel in whatever layout a primitive likes.
  private func freeKernel(_ emitter: Emitter) throws(EngineError) -> MemoryDescriptor {
    try MemoryDescriptor([outputCount, inputCount], dnnl_format_tag_any, emitter.operandType(type(emitter)))
  }

  /// One row of the product; a batch has at least as many as samples.
  func workload(_ kind: Workload.Kind, _ emitter: Emitter) -> Workload {
    Workload(
      kind: kind, input: [inputCount], output: [outputCount], kernel: [outputCount, inputCount],
      window: Window(size: Size2D(1), strides: Size2D(1), padding: .valid), insets: Insets2D(),
      type: emitter.operandType(type(emitter)))
  }

  func operationCount(_ rows: Int) -> Int { 2 * rows * inputCount * outputCount }

  private func forward(
    _ emitter: Emitter, _ source: MemoryDescriptor, _ destination: MemoryDescriptor, _ attributes: Attributes
  ) throws(EngineError) -> PrimitiveDescriptor {
    let weights = try freeKernel(emitter)
    let bias = bias == nil ? nil : try MemoryDescriptor(dense: [outputCount])
    let kind = emitter.needsGradient(output) ? dnnl_forward_training : dnnl_forward_inference
    return try PrimitiveDescriptor(name) { [engine = emitter.engine] handle in
      graft_inner_product_forward(
        &handle, engine, kind, source.handle, weights.handle, bias?.handle, destination.handle, attributes.handle)
    }
  }

  /// Keras's array: inputs outermost.
  private func stored() throws(EngineError) -> MemoryDescriptor {
    try MemoryDescriptor([outputCount, inputCount], strides: [1, outputCount])
  }

  private func pack(_ emitter: Emitter, for layout: MemoryDescriptor) throws(EngineError) -> Buffer {
    let (master, stored) = (emitter.master(kernel), try stored())
    let rounds = type(emitter) == .bf16 && emitter.operandType(.bf16) == .f32
    if stored == layout && !rounds { return master }
    let packed = emitter.packed(floatCount: (layout.byteCount + 3) / 4)
    let reorder = try emitter.packReorder(stored, master, to: layout, packed)
    let count = layout.byteCount / 4
    emitter.pack([kernel]) {
      reorder()
      if rounds { graft_round_to_bf16(packed.floats, count) }
    }
    return packed
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard var gradient = emitter.takeGradient(of: output) else { return }
    gradient = try emitter.throughActivation(activation, gradient, output: emitter.stored(output), name: name)
    gradient = emitter.operand(gradient)
    if try emitLoopBackward(emitter, gradient, emitter.operand(inputs[0], in: .channelsLast, as: type(emitter))) {
      return
    }
    guard let layouts, let packedKernel else { return }
    let hint = try forward(emitter, layouts.source, layouts.destination, Attributes())
    let x = try emitter.operand(inputs[0], in: .channelsLast, as: type(emitter))
    try emitParameterGradients(emitter, gradient, x, layouts, hint)
    guard emitter.needsGradient(inputs[0]) else { return }
    let free = try freeKernel(emitter)
    let attributes = try Attributes()
    let descriptor = try PrimitiveDescriptor(name) { [engine = emitter.engine] handle in
      graft_inner_product_backward_data(
        &handle, engine, layouts.source.handle, free.handle, layouts.destination.handle, hint.handle,
        attributes.handle)
    }
    guard let layout = try descriptor.layout(of: dnnl_query_weights_md) else { return }
    emitter.count(workload(.inputGradient, emitter))
    let packed = packedKernel.layout == layout ? packedKernel.buffer : try pack(emitter, for: layout)
    let target = emitter.activation(x.shape, .channelsLast, x.type)
    try emitter.step(
      name, descriptor, operationCount: operationCount(emitter.count(x) / max(1, inputCount)),
      [
        (graft_arg_destination_gradient, layouts.destination, gradient.buffer),
        (graft_arg_weights, layout, packed),
        (graft_arg_source_gradient, layouts.source, target.buffer),
      ])
    try emitter.pass(target, to: inputs[0])
  }

  private func emitParameterGradients(
    _ emitter: Emitter, _ gradient: Emitter.Activation, _ x: Emitter.Activation,
    _ layouts: (source: MemoryDescriptor, destination: MemoryDescriptor), _ hint: PrimitiveDescriptor
  ) throws(EngineError) {
    guard emitter.trains(kernel) || emitter.trains(bias) else { return }
    let biasGradient = emitter.buffer(floatCount: outputCount)
    let free = try MemoryDescriptor([outputCount, inputCount], dnnl_format_tag_any)
    let biasLayout = bias == nil ? nil : try MemoryDescriptor(dense: [outputCount])
    let attributes = try Attributes()
    let descriptor = try PrimitiveDescriptor(name) { [engine = emitter.engine] handle in
      graft_inner_product_backward_weights(
        &handle, engine, layouts.source.handle, free.handle, biasLayout?.handle, layouts.destination.handle,
        hint.handle, attributes.handle)
    }
    guard let layout = try descriptor.layout(of: dnnl_query_diff_weights_md) else { return }
    emitter.count(workload(.parameterGradient, emitter))
    let packed = emitter.buffer(floatCount: (layout.byteCount + 3) / 4)
    var arguments: [(index: Int, layout: MemoryDescriptor, buffer: Buffer)] = [
      (graft_arg_source, layouts.source, x.buffer),
      (graft_arg_destination_gradient, layouts.destination, gradient.buffer),
      (graft_arg_weights_gradient, layout, packed),
    ]
    if let biasLayout { arguments.append((graft_arg_bias_gradient, biasLayout, biasGradient)) }
    let rows = emitter.count(x) / max(1, inputCount)
    try emitter.step(name, descriptor, operationCount: operationCount(rows), arguments)
    let stored = try stored()
    try emitter.writeGradient(of: kernel, from: packed, layout, stored, name: name)
    emitter.writeGradient(of: bias, from: biasGradient, name: name)
  }
}
