import CKernels
import Graphs
import Tensors

/// Three convolutions on end through which no gradient comes: one by one, depthwise, one by one, perhaps with a residual.
///
/// The many channels in between never reach memory, as a few rows go through all three before the next ones. Sandler et
/// al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018.
@EngineActor final class InvertedResidualOperation: Operation {
  /// What makes channels many: missing where the depthwise convolution reads what is there already, or what a stem makes.
  private let expansion: ConvolutionOperation?
  private let stem: StemOperation?
  private let depthwise: ConvolutionOperation
  private let projection: ConvolutionOperation
  /// Kernels and biases once they are packed.
  private var packed: Packed?

  private struct Packed {
    var expansion: (kernel: Buffer, bias: Buffer)?
    var depthwise: (kernel: Buffer, bias: Buffer)
    var projection: (kernel: Buffer, bias: Buffer)
    var stem: StemOperation.Packed?

    var all: [Buffer] {
      [expansion, depthwise, projection].compactMap(\.self).flatMap { [$0.kernel, $0.bias] } + (stem?.all ?? [])
    }
  }

  init(
    expansion: ConvolutionOperation?, stem: StemOperation?, depthwise: ConvolutionOperation,
    projection: ConvolutionOperation
  ) {
    self.expansion = expansion
    self.stem = stem
    self.depthwise = depthwise
    self.projection = projection
    inputs = [stem?.inputs[0] ?? (expansion ?? depthwise).inputs[0]] + projection.inputs.dropFirst()
    output = projection.output
  }

  private var convolutions: [ConvolutionOperation] {
    [stem?.convolution ?? expansion, depthwise, projection].compactMap(\.self)
  }

  private var parts: [any Operation] {
    (stem.map { [$0] } ?? []) + [expansion, depthwise, projection].compactMap(\.self)
  }

  var name: String { projection.name }
  var inputs: [Program.ValueID]
  var output: Program.ValueID
  var parameters: [ParameterPath] { parts.flatMap(\.parameters) }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let stored = emitter.stored(inputs[0])
    let width = Processor.blockWidth
    // Channels-last serves as well where all blocks of it are whole.
    let isReadable = stem != nil || stored.layout == .channelsLast && stored.shape[2] % width == 0
    let entrance = stem?.shape(emitter)
    guard stem == nil || entrance != nil, let shape = shape(emitter, isReadable ? .channelsLast : .blocked(width))
    else {
      for part in parts { try part.emitForward(emitter) }
      return
    }
    let x = try emitter.activation(inputs[0], in: isReadable ? .channelsLast : .blocked(width))
    let y = emitter.activation(emitter.program.shapes[output], .blocked(width))
    let residual = projection.hasResidual ? try emitter.activation(inputs[1], in: y.layout).buffer : nil
    let packed = if let packed { packed } else { try pack(emitter, width: width) }
    self.packed = packed
    let workers = Int(EngineThreads.use(0))
    let scratch = emitter.buffer(
      floatCount: entrance.map { entrance in
        withUnsafePointer(to: entrance) { graft_inverted_scratch(shape, $0, workers) }
      } ?? graft_inverted_scratch(shape, nil, workers))
    var operationCount = 0
    for part in convolutions {
      emitter.count(part.workload(.forward, emitter, by: part === stem?.convolution ? .stem : .primitive))
      operationCount += part.operationCount(emitter.program.shapes[part.output]) * emitter.batch
    }
    let touched = [x.buffer, y.buffer, scratch, residual].compactMap(\.self) + packed.all
    emitter.step(name, "inverted_residual", touching: touched, operationCount: operationCount) {
      let kernels = graft_inverted_kernels(
        expand: (packed.stem?.kernel ?? packed.expansion?.kernel)?.floats,
        expand_bias: (packed.stem?.bias ?? packed.expansion?.bias)?.floats,
        depthwise: packed.depthwise.kernel.floats, depthwise_bias: packed.depthwise.bias.floats,
        project: packed.projection.kernel.floats, project_bias: packed.projection.bias.floats)
      func compute(_ stem: UnsafePointer<graft_stem>?) {
        graft_inverted_residual(
          y.buffer.floats, x.buffer.floats, residual?.floats, kernels, shape, stem, scratch.floats, workers)
      }
      guard let entrance, let rescaling = packed.stem else { return compute(nil) }
      withUnsafePointer(to: entrance.rescaled(by: rescaling)) { compute($0) }
    }
    emitter.set(output, y)
  }

  /// Whether the three go together, images being in the processor's blocks.
  func isFast(_ emitter: Emitter) -> Bool { shape(emitter, .blocked(Processor.blockWidth)) != nil }

  /// Nothing comes back.
  func emitBackward(_ emitter: Emitter) {}

  /// What the loop has to know; nil where it is not the faster way.
  private func shape(_ emitter: Emitter, _ layout: ActivationLayout) -> graft_inverted? {
    let shapes = emitter.program.shapes
    let (input, between, result) = (shapes[inputs[0]], shapes[depthwise.output], shapes[output])
    let before = shapes[depthwise.inputs[0]]
    guard emitter.imageType == .f32, !emitter.options.without.contains(.layout),
      let last = projection.activation.bounds, let middle = depthwise.activation.bounds,
      let first = (stem?.convolution ?? expansion).map(\.activation.bounds) ?? (0, 0)
    else { return nil }
    let view = layout.view(of: input, batch: emitter.batch)
    let shape = graft_inverted(
      width: Processor.blockWidth, samples: emitter.batch, inputs: input[2], expanded: between[2], outputs: result[2],
      rows: before[0], columns: before[1], output_rows: between[0], output_columns: between[1],
      size: depthwise.window.size.height, stride: depthwise.window.strides.height, top: depthwise.insets.top,
      left: depthwise.insets.left, sample: view.blocks * view.pixels * view.width,
      block: layout == .channelsLast ? Processor.blockWidth : view.pixels * view.width, pixel: view.width,
      low: (first.low, middle.low, last.low), high: (first.high, middle.high, last.high))
    return graft_inverted_is_fast(shape) ? shape : nil
  }

  private func pack(_ emitter: Emitter, width: Int) throws(EngineError) -> Packed {
    let window = try depthwise.packKernel(emitter, floatCount: depthwise.kernel.rows * depthwise.kernel.columns) {
      [depthwise] origin, packed throws(EngineError) in
      guard let blocks = DepthwiseBlocks(depthwise.kernel, width: .blocked(width)) else {
        throw EngineError(.primitive, subject: depthwise.name, detail: "the convolution is not depthwise")
      }
      return { blocks.pack(origin.floats, to: packed.floats) }
    }
    return Packed(
      expansion: expansion.map { pack($0, emitter, width: width) },
      depthwise: (window, packBias(of: depthwise, emitter, width: width)),
      projection: pack(projection, emitter, width: width), stem: stem?.packed(emitter))
  }

  /// A kernel of one by one in panels, and its bias.
  private func pack(_ part: ConvolutionOperation, _ emitter: Emitter, width: Int) -> (kernel: Buffer, bias: Buffer) {
    (part.packPanels(emitter), packBias(of: part, emitter, width: width))
  }

  /// A bias as long as the blocks, zeros where there is none.
  private func packBias(of part: ConvolutionOperation, _ emitter: Emitter, width: Int) -> Buffer {
    let count = part.kernel.columns
    let padded = emitter.packed(floatCount: (count + width - 1) / width * width)
    let bias = part.packBias(emitter)
    emitter.pack(part.parameters) {
      graft_fill(padded.floats, 0, padded.byteCount / 4)
      if let bias { padded.floats.update(from: bias.floats, count: count) }
    }
    return padded
  }
}

extension Program {
  /// Joins expansion, depthwise convolution and projection where no gradient comes back through them.
  mutating func joinInvertedResiduals() {
    let readers = readerCounts
    var gone: Set<Int> = []
    let makers = makers
    /// What makes a value, where it is a convolution that nothing but its reader needs.
    func part(_ value: ValueID, where isSuitable: (ConvolutionOperation) -> Bool) -> (
      place: Int, part: ConvolutionOperation
    )? {
      guard readers[value] == 1, !needsGradient[value], let place = makers[value],
        let convolution = operations[place] as? ConvolutionOperation, !convolution.hasResidual,
        convolution.activation.bounds != nil, isSuitable(convolution)
      else { return nil }
      return (place, convolution)
    }
    for place in operations.indices {
      guard let projection = operations[place] as? ConvolutionOperation, projection.isPointwise,
        projection.activation.bounds != nil, !needsGradient[projection.output],
        let depthwise = part(projection.inputs[0], where: \.isDepthwise)
      else { continue }
      let input = depthwise.part.inputs[0]
      let expansion = part(input, where: \.isPointwise)
      let stem = readers[input] == 1 ? makers[input].flatMap { operations[$0] as? StemOperation } : nil
      operations[place] = InvertedResidualOperation(
        expansion: expansion?.part, stem: stem, depthwise: depthwise.part, projection: projection)
      gone.formUnion([depthwise.place, expansion?.place, stem == nil ? nil : makers[input]].compactMap(\.self))
    }
    operations = operations.indices.filter { !gone.contains($0) }.map { operations[$0] }
  }
}

extension ConvolutionOperation {
  /// A window of one by one over all channels that takes every pixel.
  var isPointwise: Bool {
    kernel.dimensions.count == 4 && window.size == Size2D(1) && window.strides == Size2D(1) && insets == Insets2D()
  }

  /// A square window over each channel by itself, as many going out as come in.
  var isDepthwise: Bool {
    kernel.dimensions.count == 5 && kernel.dimensions[1] == 1 && kernel.dimensions[2] == 1
      && window.size.height == window.size.width && window.strides.height == window.strides.width
      && window.dilation == Size2D(1)
  }
}
