import CDNNL
import CKernels
import Graphs
import Tensors

/// The transpose of a convolution: its way forward is the other's gradient of the input, and the other way round.
@EngineActor final class TransposedConvolutionOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  /// The kernel of the convolution that is transposed: its inputs are the outputs here.
  let kernel: ConvolutionOperation.Kernel
  let bias: ParameterPath?
  let window: Window
  let insets: Insets2D

  /// The arrays of the other convolution: `wide` its input and the output here, `narrow` its output and the input here.
  private struct Places {
    var narrow: Emitter.Activation
    var wideLayout: MemoryDescriptor
    var narrowLayout: MemoryDescriptor
    var layout: ActivationLayout
    var hint: PrimitiveDescriptor
  }

  private var places: Places?
  /// The kernel in the layouts that primitives want, and the bias as a map of channels, once they are there.
  private var packed: [(buffer: Buffer, layout: MemoryDescriptor)] = []
  private var biasVectors: (scale: Buffer, shift: Buffer)?

  init(
    name: String, input: Program.ValueID, kernel: ConvolutionOperation.Kernel, bias: ParameterPath?, window: Window,
    insets: Insets2D
  ) {
    self.name = name
    inputs = [input]
    self.kernel = kernel
    self.bias = bias
    self.window = window
    self.insets = insets
  }

  var parameters: [ParameterPath] { [kernel.path] + (bias.map { [$0] } ?? []) }

  private func operationCount(_ emitter: Emitter) -> Int {
    2 * emitter.batch * emitter.program.shapes[inputs[0]].elementCount * kernel.rows
  }

  // MARK: Forward

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let outputShape = emitter.program.shapes[output]
    let there = emitter.stored(inputs[0])
    let choice = try chooseLayouts(emitter, there, outputShape)
    let x = try emitter.activation(inputs[0], in: choice.narrow)
    let y = emitter.activation(outputShape, choice.wide)
    let (xLayout, yLayout) = (try emitter.descriptor(x), try emitter.descriptor(y))
    let hint = try convolution(emitter, wide: yLayout, narrow: xLayout)
    let weights = try MemoryDescriptor(kernel.dimensions, dnnl_format_tag_any)
    var shim = graft_window(window, insets)
    let attributes = try Attributes()
    let descriptor = try PrimitiveDescriptor(name) { [engine = emitter.engine] handle in
      graft_convolution_backward_data(
        &handle, engine, yLayout.handle, weights.handle, xLayout.handle, &shim, hint.handle, attributes.handle)
    }
    guard let kernelLayout = try descriptor.layout(of: dnnl_query_weights_md) else { return }
    try emitter.step(
      name, descriptor, operationCount: operationCount(emitter),
      [
        (graft_arg_destination_gradient, xLayout, x.buffer),
        (graft_arg_weights, kernelLayout, try pack(emitter, for: kernelLayout)),
        (graft_arg_source_gradient, yLayout, y.buffer),
      ])
    addBias(emitter, to: y)
    emitter.set(output, y)
    places = Places(narrow: x, wideLayout: yLayout, narrowLayout: xLayout, layout: choice.wide, hint: hint)
  }

  /// The convolution from this one's output to its input.
  private func convolution(
    _ emitter: Emitter, wide: MemoryDescriptor, narrow: MemoryDescriptor
  ) throws(EngineError) -> PrimitiveDescriptor {
    let weights = try MemoryDescriptor(kernel.dimensions, dnnl_format_tag_any)
    var shim = graft_window(window, insets)
    let attributes = try Attributes()
    return try PrimitiveDescriptor(name) { [engine = emitter.engine] handle in
      graft_convolution_forward(
        &handle, engine, dnnl_forward_training, wide.handle, weights.handle, nil, narrow.handle, &shim,
        attributes.handle)
    }
  }

  /// Lets the convolution choose, and takes a layout that the other steps know too.
  private func chooseLayouts(
    _ emitter: Emitter, _ there: Emitter.Activation, _ output: Shape
  ) throws(EngineError) -> (narrow: ActivationLayout, wide: ActivationLayout) {
    if emitter.options.without.contains(.layout) { return (.channelsLast, .channelsLast) }
    let (batch, input) = (emitter.batch, there.shape)
    let free = try convolution(
      emitter, wide: MemoryDescriptor([batch, output[2], output[0], output[1]], dnnl_format_tag_any),
      narrow: MemoryDescriptor([batch, input[2], input[0], input[1]], dnnl_format_tag_any))
    guard let wide = try free.layout(of: dnnl_query_src_md), let narrow = try free.layout(of: dnnl_query_dst_md),
      let narrowLayout = try ActivationLayout.matching(
        narrow, shape: input, batch: batch, type: .f32, preferring: there.layout),
      let wideLayout = try ActivationLayout.matching(
        wide, shape: output, batch: batch, type: .f32, preferring: narrowLayout)
    else { return (.channelsLast, .channelsLast) }
    return (narrowLayout, wideLayout)
  }

  private func pack(_ emitter: Emitter, for layout: MemoryDescriptor) throws(EngineError) -> Buffer {
    let master = emitter.master(kernel.path)
    let stored = try MemoryDescriptor(kernel.dimensions, strides: kernel.strides)
    if stored == layout { return master }
    if let there = packed.first(where: { $0.layout == layout }) { return there.buffer }
    let buffer = emitter.packed(floatCount: (layout.byteCount + 3) / 4)
    emitter.pack([kernel.path], try emitter.packReorder(stored, master, to: layout, buffer))
    packed.append((buffer, layout))
    return buffer
  }

  private func addBias(_ emitter: Emitter, to y: Emitter.Activation) {
    guard let bias else { return }
    let (view, channels) = (emitter.view(y), y.shape[2])
    let size = view.blocks * view.width
    let target = y.buffer
    let (scale, shift) = biasVectors ?? packBias(bias, emitter, channels: channels, size: size)
    emitter.step(name, "channel_affine", touching: [target]) {
      graft_channel_affine(
        target.floats, target.floats, view, scale.floats, shift.floats, -.infinity, .infinity, graft_f32)
    }
  }

  private func packBias(
    _ bias: ParameterPath, _ emitter: Emitter, channels: Int, size: Int
  ) -> (scale: Buffer, shift: Buffer) {
    let scale = emitter.packed(floatCount: size)
    let shift = emitter.packed(floatCount: size)
    let master = emitter.master(bias)
    emitter.pack([bias]) {
      graft_fill(scale.floats, 1, size)
      graft_fill(shift.floats, 0, size)
      graft_copy(shift.floats, master.floats, channels)
    }
    biasVectors = (scale, shift)
    return (scale, shift)
  }

  // MARK: Backward

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output), let places else { return }
    try emitParameterGradients(emitter, gradient, places)
    guard emitter.needsGradient(inputs[0]) else { return }
    guard let kernelLayout = try places.hint.layout(of: dnnl_query_weights_md) else { return }
    let target = emitter.activation(places.narrow.shape, places.narrow.layout)
    try emitter.step(
      name, places.hint, operationCount: operationCount(emitter),
      [
        (graft_arg_source, places.wideLayout, gradient.buffer),
        (graft_arg_weights, kernelLayout, try pack(emitter, for: kernelLayout)),
        (graft_arg_destination, places.narrowLayout, target.buffer),
      ])
    try emitter.pass(target, to: inputs[0])
  }

  private func emitParameterGradients(
    _ emitter: Emitter, _ gradient: Emitter.Activation, _ places: Places
  ) throws(EngineError) {
    if let bias, emitter.trains(bias) {
      let sum = emitter.buffer(floatCount: gradient.shape[2])
      emitter.channelSum(of: gradient, into: sum, channels: gradient.shape[2], name: name)
      emitter.writeGradient(of: bias, from: sum, name: name)
    }
    guard emitter.trains(kernel.path) else { return }
    let weights = try MemoryDescriptor(kernel.dimensions, dnnl_format_tag_any)
    var shim = graft_window(window, insets)
    let attributes = try Attributes()
    let descriptor = try PrimitiveDescriptor(name) { [engine = emitter.engine] handle in
      graft_convolution_backward_weights(
        &handle, engine, places.wideLayout.handle, weights.handle, nil, places.narrowLayout.handle, &shim,
        places.hint.handle, attributes.handle)
    }
    guard let layout = try descriptor.layout(of: dnnl_query_diff_weights_md) else { return }
    let packed = emitter.buffer(floatCount: (layout.byteCount + 3) / 4)
    try emitter.step(
      name, descriptor, operationCount: operationCount(emitter),
      [
        (graft_arg_source, places.wideLayout, gradient.buffer),
        (graft_arg_destination_gradient, places.narrowLayout, places.narrow.buffer),
        (graft_arg_weights_gradient, layout, packed),
      ])
    let stored = try MemoryDescriptor(kernel.dimensions, strides: kernel.strides)
    var table = packed
    if !(stored == layout) {
      table = emitter.buffer(floatCount: kernel.rows * kernel.columns)
      try emitter.reorder(name, layout, packed, to: stored, table)
    }
    emitter.writeGradient(of: kernel.path, from: table, name: name)
  }
}
