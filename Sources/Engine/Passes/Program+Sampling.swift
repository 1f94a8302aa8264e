import Graphs
import Tensors

extension Program {
  /// Takes the pixels that windows of one by one with strides read: once for all of them, and as early as can be.
  ///
  /// What makes each pixel from the same pixel of what it reads makes only those then: at the end of a stage of a residual
  /// network three quarters of the last convolution's results are never read.
  mutating func sampleEarly() {
    takeStrides()
    moveSamplesUp()
  }

  /// Takes the strides out of windows of one by one.
  private mutating func takeStrides() {
    struct Sample: Hashable {
      let value: ValueID
      let strides: Size2D
    }
    var samples: [Sample: ValueID] = [:]
    let old = operations
    operations = []
    for operation in old {
      if let convolution = operation as? ConvolutionOperation, let strides = convolution.takenStrides {
        let sample = Sample(value: convolution.inputs[0], strides: strides)
        let (x, y) = (shapes[sample.value], shapes[convolution.output])
        convolution.inputs[0] =
          samples[sample]
          ?? append(
            SubsamplingOperation(name: convolution.name, input: sample.value, strides: strides),
            shape: [y[0], y[1], x[2]])
        samples[sample] = convolution.inputs[0]
        convolution.window.strides = Size2D(1)
      } else if let pooling = operation as? PoolingOperation, pooling.takesPixels,
        shapes[pooling.output][2].isMultiple(of: SubsamplingOperation.unit)
      {
        let sampling = SubsamplingOperation(
          name: pooling.name, input: pooling.inputs[0], strides: pooling.window.strides)
        sampling.output = pooling.output
        operations.append(sampling)
        continue
      }
      operations.append(operation)
    }
  }

  /// Exchanges the taking of pixels with what makes the image, where nothing else reads that.
  private mutating func moveSamplesUp() {
    let readers = readerCounts
    var makers: [ValueID: any Operation] = [:]
    for operation in operations { makers[operation.output] = operation }
    // From the last operation to the first; what is put before one comes up after it.
    var open = operations
    var kept: [any Operation] = []
    var before: [ObjectIdentifier: [any Operation]] = [:]
    while let operation = open.popLast() {
      if let sampling = operation as? SubsamplingOperation, readers[sampling.inputs[0]] == 1,
        let maker = makers[sampling.inputs[0]], let places = sampledInputs(of: maker)
      {
        let size = shapes[sampling.output]
        before[ObjectIdentifier(maker)] = places.map { place in
          let input = maker.inputs[place]
          let sample = SubsamplingOperation(name: sampling.name, input: input, strides: sampling.strides)
          maker.inputs[place] = makeOutput(of: sample, shape: [size[0], size[1], shapes[input][2]])
          return sample
        }
        if places.lowerBound > 0 { (maker as? ConvolutionOperation)?.window.strides = sampling.strides }
        maker.output = sampling.output
        continue
      }
      kept.append(operation)
      open += before.removeValue(forKey: ObjectIdentifier(operation)) ?? []
    }
    operations = kept.reversed()
  }

  /// The inputs whose pixels an operation needs only where its result is read; nil where it has to make all of them.
  ///
  /// The first of a convolution is not among them where its window has several pixels, which gets the strides then.
  private func sampledInputs(of operation: any Operation) -> Range<Int>? {
    switch operation {
    case let convolution as ConvolutionOperation:
      if convolution.keepsPixels { return convolution.inputs.indices }
      return convolution.canStride ? 1..<convolution.inputs.count : nil
    case is ActivationOperation, is ChannelAffineOperation: return operation.inputs.indices
    case let merge as MergeOperation:
      return merge.inputs.allSatisfy { shapes[$0] == shapes[merge.output] } ? merge.inputs.indices : nil
    default: return nil
    }
  }
}

extension ConvolutionOperation {
  /// The strides of a window of one by one over whole blocks of channels; nil where there are none.
  fileprivate var takenStrides: Size2D? { isOnePixel && window.strides != Size2D(1) ? window.strides : nil }

  /// Whether each pixel of the result depends on one pixel, over whole blocks of channels.
  fileprivate var keepsPixels: Bool { isOnePixel && window.strides == Size2D(1) }

  /// Whether windows of several pixels lie side by side and may as well have distances.
  fileprivate var canStride: Bool {
    kernel.dimensions.count == 4 && window.size != Size2D(1) && window.strides == Size2D(1)
      && window.dilation == Size2D(1)
  }

  private var isOnePixel: Bool {
    kernel.dimensions.count == 4 && window.size == Size2D(1) && insets == Insets2D()
      && kernel.rows.isMultiple(of: SubsamplingOperation.unit)
      && kernel.columns.isMultiple(of: SubsamplingOperation.unit)
  }
}

extension PoolingOperation {
  /// Whether it does nothing but take pixels.
  fileprivate var takesPixels: Bool {
    kind == .maximum && window.size == Size2D(1) && window.strides != Size2D(1) && insets == Insets2D()
  }
}
