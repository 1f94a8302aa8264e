import CDNNL
import Graphs
import Tensors

/// How images lie in memory for a convolution, and the primitives of its way back.
extension ConvolutionOperation {
  /// Whether windows of one by one go by a loop of our own, where channels lie in whole blocks.
  private static let hasPointwiseLoops = Processor.blockWidth == 16

  /// How input and output lie in memory.
  typealias Layouts = (source: MemoryDescriptor, destination: MemoryDescriptor)

  /// Lets the convolution choose, and takes a layout that the other steps know too.
  func chooseLayouts(
    _ emitter: Emitter, there: ActivationLayout, input: Shape, output: Shape, trains: Bool
  ) throws(EngineError) -> (source: ActivationLayout, destination: ActivationLayout) {
    if emitter.options.without.contains(.layout) { return (.channelsLast, .channelsLast) }
    let (batch, type) = (emitter.batch, emitter.operandType(emitter.imageType))
    if goesByWinograd(emitter) || emitter.keepsBlocks && (isPointwiseInBlocks || goesByStrides(emitter)) {
      let blocks = ActivationLayout.blocked(Processor.blockWidth)
      return (blocks, blocks)
    }
    let free = try forward(
      emitter, MemoryDescriptor([batch, input[2], input[0], input[1]], dnnl_format_tag_any, type),
      MemoryDescriptor([batch, output[2], output[0], output[1]], dnnl_format_tag_any, type), Attributes(),
      trains: trains)
    guard let source = try free.layout(of: dnnl_query_src_md), let target = try free.layout(of: dnnl_query_dst_md),
      let sourceLayout = try ActivationLayout.matching(
        source, shape: input, batch: batch, type: type, preferring: there),
      let targetLayout = try ActivationLayout.matching(
        target, shape: output, batch: batch, type: type, preferring: sourceLayout)
    else { return (.channelsLast, .channelsLast) }
    if trains, !Processor.isFastInBlocks {
      let layouts = (
        source: try sourceLayout.descriptor(of: input, batch: batch, type: type),
        destination: try targetLayout.descriptor(of: output, batch: batch, type: type)
      )
      if try isSlowBackward(emitter, layouts) { return (.channelsLast, .channelsLast) }
    }
    return (sourceLayout, targetLayout)
  }

  /// Whether its neighbours had better keep images in blocks too: it goes by a loop of our own, if need be both ways.
  func wantsBlocks(_ emitter: Emitter) -> Bool {
    goesByWinograd(emitter)
      || Self.hasPointwiseLoops && isPointwiseInBlocks && window.strides == Size2D(1) && emitter.needsGradient(output)
        && canLoop(emitter)
  }

  /// Whether a window of one by one reads and writes whole blocks of channels, which oneDNN does as fast as channels-last.
  private var isPointwiseInBlocks: Bool {
    let width = Processor.blockWidth
    return Processor.isFastInBlocks && kernel.dimensions.count == 4 && window.size == Size2D(1)
      && kernel.dimensions[0] % width == 0 && kernel.dimensions[1] % width == 0
  }

  /// Whether oneDNN has nothing but its reference loops, a hundred times slower, for a way back that will be gone; depthwise
  /// convolutions have loops of our own.
  private func isSlowBackward(_ emitter: Emitter, _ layouts: Layouts) throws(EngineError) -> Bool {
    guard kernel.dimensions.count == 4 else { return false }
    let hint = try forward(emitter, layouts.source, layouts.destination, Attributes(), trains: true)
    if emitter.needsGradient(inputs[0]), try inputGradientDescriptor(emitter, layouts, hint).isReference { return true }
    guard kernelTrains(emitter) else { return false }
    return try kernelGradientDescriptor(emitter, layouts, hint).isReference
  }

  /// What computes the gradient of the input.
  func inputGradientDescriptor(
    _ emitter: Emitter, _ layouts: Layouts, _ hint: PrimitiveDescriptor
  ) throws(EngineError) -> PrimitiveDescriptor {
    let weights = try freeKernel(emitter)
    var window = shimWindow
    let attributes = try Attributes()
    return try PrimitiveDescriptor(name) { [engine = emitter.engine] handle in
      graft_convolution_backward_data(
        &handle, engine, layouts.source.handle, weights.handle, layouts.destination.handle, &window, hint.handle,
        attributes.handle)
    }
  }

  /// What computes the gradients of kernel and bias, in single precision.
  func kernelGradientDescriptor(
    _ emitter: Emitter, _ layouts: Layouts, _ hint: PrimitiveDescriptor
  ) throws(EngineError) -> PrimitiveDescriptor {
    let free = try MemoryDescriptor(kernel.dimensions, dnnl_format_tag_any)
    let bias = hasBias ? try biasLayout : nil
    var window = shimWindow
    let attributes = try Attributes()
    return try PrimitiveDescriptor(name) { [engine = emitter.engine] handle in
      graft_convolution_backward_weights(
        &handle, engine, layouts.source.handle, free.handle, bias?.handle, layouts.destination.handle, &window,
        hint.handle, attributes.handle)
    }
  }

  var biasLayout: MemoryDescriptor { get throws(EngineError) { try MemoryDescriptor(dense: [kernel.columns]) } }
}
