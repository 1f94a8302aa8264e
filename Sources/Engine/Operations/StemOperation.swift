import CKernels
import Graphs
import Tensors

/// The first convolution of a network, with what rescales the pictures before it.
///
/// Pictures have few channels, and each of their numbers is multiplied by many of the kernel: they are read as they come,
/// and results lie in blocks of channels.
@EngineActor final class StemOperation: Operation {
  private let rescaling: ChannelAffineOperation?
  let convolution: ConvolutionOperation
  private var packed: Packed?

  /// Kernel and bias once they are packed, and the factors and summands of a row of pixels.
  struct Packed {
    let kernel: Buffer
    let bias: Buffer?
    let rescaling: (scale: Buffer, shift: Buffer)?

    var all: [Buffer] { [kernel] + [bias, rescaling?.scale, rescaling?.shift].compactMap(\.self) }
  }

  init(rescaling: ChannelAffineOperation?, convolution: ConvolutionOperation) {
    self.rescaling = rescaling
    self.convolution = convolution
    inputs = [rescaling?.inputs[0] ?? convolution.inputs[0]]
    output = convolution.output
  }

  var name: String { convolution.name }
  var inputs: [Program.ValueID]
  var output: Program.ValueID
  var parameters: [ParameterPath] { parts.flatMap(\.parameters) }

  private var parts: [any Operation] { (rescaling.map { [$0] } ?? []) + [convolution] }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    guard let shape = shape(emitter), let bounds = convolution.activation.bounds else {
      for part in parts { try part.emitForward(emitter) }
      return
    }
    let x = try emitter.activation(inputs[0], in: .channelsLast)
    let y = emitter.activation(emitter.program.shapes[output], .blocked(Processor.blockWidth))
    let packed = packed(emitter)
    let workers = Int(EngineThreads.use(0))
    let scratch = emitter.buffer(floatCount: graft_stem_scratch(shape, workers))
    emitter.count(convolution.workload(.forward, emitter, by: .stem))
    emitter.step(
      name, "stem", touching: [x.buffer, y.buffer, scratch] + packed.all,
      operationCount: convolution.operationCount(y.shape) * emitter.batch
    ) {
      let ending = graft_ending(
        bias: packed.bias.map { UnsafePointer($0.floats) }, residual: nil, low: bounds.low, high: bounds.high,
        mask: graft_bounded(nil, y.buffer))
      graft_stem_forward(
        y.buffer.floats, x.buffer.floats, packed.kernel.floats, shape.rescaled(by: packed), ending, scratch.floats,
        workers)
    }
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let shape = shape(emitter) else {
      for part in parts.reversed() { try part.emitBackward(emitter) }
      return
    }
    guard var gradient = emitter.takeGradient(of: output) else { return }
    let y = emitter.stored(output)
    let cutsOnTheWay = convolution.kernelTrains(emitter) && convolution.activation.onlyCuts && !gradient.isCut
    if !cutsOnTheWay {
      gradient = try emitter.throughActivation(convolution.activation, gradient, output: y, name: name)
    }
    guard convolution.kernelTrains(emitter) else { return convolution.emitBiasGradient(emitter, gradient) }
    let x = try emitter.activation(inputs[0], in: .channelsLast)
    let bounds = cutsOnTheWay ? convolution.activation.bounds : nil
    let workers = Int(EngineThreads.use(0))
    let scratch = emitter.buffer(floatCount: graft_stem_gradient_scratch(shape, workers))
    let (packed, dy) = (packed(emitter), gradient.buffer)
    emitter.count(convolution.workload(.parameterGradient, emitter, by: .stem))
    convolution.emitKernelGradient(
      emitter, "stem_gradient", touching: [x.buffer, y.buffer, dy, scratch] + packed.all
    ) { dw, db, adds in
      graft_stem_gradient(
        dw, db, x.buffer.floats, dy.floats, graft_bounded(bounds, y.buffer), shape.rescaled(by: packed), scratch.floats,
        workers, adds)
    }
  }

  /// What the loop has to know; nil where it is not the faster way, or where its neighbours do not keep images in blocks.
  func shape(_ emitter: Emitter) -> graft_stem? {
    guard emitter.imageType == .f32, emitter.keepsBlocks, Processor.blockWidth == 16,
      !emitter.options.without.contains(.layout), convolution.activation.bounds != nil,
      emitter.stored(inputs[0]).type == .f32
    else { return nil }
    let (input, output) = (emitter.program.shapes[inputs[0]], emitter.program.shapes[output])
    let shape = convolution.stem(samples: emitter.batch, from: input, to: output)
    return graft_stem_is_fast(shape) ? shape : nil
  }

  func packed(_ emitter: Emitter) -> Packed {
    if let packed { return packed }
    let pixels = emitter.program.shapes[inputs[0]][1]
    let packed = Packed(
      kernel: convolution.packPanels(emitter), bias: convolution.packBias(emitter),
      rescaling: rescaling?.packRow(emitter, channels: emitter.program.shapes[inputs[0]][2], pixels: pixels))
    self.packed = packed
    return packed
  }
}

extension graft_stem {
  /// The same for pictures that are rescaled first, once memory has its place.
  func rescaled(by packed: StemOperation.Packed) -> graft_stem {
    var shape = self
    shape.scale = packed.rescaling.map { UnsafePointer($0.scale.floats) }
    shape.shift = packed.rescaling.map { UnsafePointer($0.shift.floats) }
    return shape
  }
}

extension ConvolutionOperation {
  /// Whether it may be a network's first: a dense window over few channels, through which no gradient goes on.
  fileprivate func isStem(_ program: Program) -> Bool {
    kernel.dimensions.count == 4 && kernel.dimensions[1] <= 4 && window.dilation == Size2D(1) && !hasResidual
      && !program.needsGradient[inputs[0]]
  }

  /// What the loops for few channels have to know, but for what rescales pictures.
  func stem(samples: Int, from x: Shape, to y: Shape) -> graft_stem {
    graft_stem(
      samples: samples, channels: x[2], outputs: y[2], rows: x[0], columns: x[1], output_rows: y[0],
      output_columns: y[1], size: (window.size.height, window.size.width),
      strides: (window.strides.height, window.strides.width), top: insets.top, left: insets.left, scale: nil, shift: nil
    )
  }
}

extension Program {
  /// Joins the convolutions that read pictures with what rescales these, where nobody else reads what that makes.
  mutating func joinStems() {
    let readers = readerCounts
    let makers = makers
    var gone: Set<Int> = []
    for place in operations.indices {
      guard let convolution = operations[place] as? ConvolutionOperation, convolution.isStem(self) else { continue }
      let input = convolution.inputs[0]
      var rescaling: ChannelAffineOperation?
      if let maker = makers[input], readers[input] == 1, let affine = operations[maker] as? ChannelAffineOperation,
        affine.activation == .linear, shapes[input].rank == 3
      {
        rescaling = affine
        gone.insert(maker)
      }
      operations[place] = StemOperation(rescaling: rescaling, convolution: convolution)
    }
    operations = operations.indices.filter { !gone.contains($0) }.map { operations[$0] }
  }
}
