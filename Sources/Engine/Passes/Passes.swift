import Graphs
import Tensors

extension Program {
  /// Rewrites the program until nothing is computed by itself that something else can do on its way.
  mutating func optimize(_ options: PlanOptions) {
    let without = options.without
    if !without.contains(.fold) { foldNormalizations() }
    guard !without.contains(.fuse) else { return }
    dropUnreadReshapes()
    fuseBorders()
    if !without.contains(.sample) { orderMeans() }
    fuseActivations()
    fuseResiduals()
    fuseActivations()
    guard !without.contains(.loops) else { return }
    joinStems()
    joinInvertedResiduals()
    if !without.contains(.sample) { sampleEarly() }
  }

  /// Calls `rewrite` for every operation in order with the operation that makes its first input, where this operation
  /// is the only reader; what `rewrite` answers true to is gone, its output now made by the other.
  fileprivate mutating func absorb(_ rewrite: (_ maker: any Operation, _ reader: any Operation) -> Bool) {
    let readers = readerCounts
    var makers: [ValueID: any Operation] = [:]
    var kept: [any Operation] = []
    for operation in operations {
      if let input = operation.inputs.first, readers[input] == 1, operation.inputs.count == 1,
        let maker = makers[input], rewrite(maker, operation)
      {
        maker.output = operation.output
        makers[operation.output] = maker
      } else {
        kept.append(operation)
        makers[operation.output] = operation
      }
    }
    operations = kept
  }
}

extension Program {
  /// Takes out changes of shape that everybody has looked through.
  private mutating func dropUnreadReshapes() {
    let readers = readerCounts
    operations.removeAll { $0 is ReshapeOperation && readers[$0.output] == 0 }
  }
}

// MARK: - Folding

extension Program {
  /// Folds batch normalisation with frozen statistics into the convolution before it.
  private mutating func foldNormalizations() {
    let trainable = trainable
    absorb { maker, reader in
      guard let convolution = maker as? ConvolutionOperation, let affine = reader as? ChannelAffineOperation,
        case .normalization(let normalization) = affine.source, convolution.normalization == nil,
        convolution.activation == .linear, !convolution.hasResidual
      else { return false }
      // Where gamma trains and the kernel does not, its gradient costs a whole kernel gradient once it is folded, and a
      // pass over the activation if not. The pass wins where a kernel's gradient means more than some dozens of
      // operations for each number.
      let gammaTrains = normalization.gamma.map(trainable.contains) ?? false
      if gammaTrains && !trainable.contains(convolution.kernel.path) && convolution.kernel.rows > 32 { return false }
      convolution.normalization = normalization
      return true
    }
  }
}

// MARK: - Fusing

extension Program {
  /// Gives the zeros that a layer lays around an image to the convolution or pooling behind it.
  private mutating func fuseBorders() {
    let readers = readerCounts
    let makers = makers
    var gone: Set<Int> = []
    for operation in operations {
      guard let input = operation.inputs.first, readers[input] == 1, let place = makers[input],
        let borders = operations[place] as? BordersOperation, !borders.crops
      else { continue }
      if let convolution = operation as? ConvolutionOperation {
        convolution.insets = convolution.insets + borders.insets
      } else if let pooling = operation as? PoolingOperation, pooling.kind == .maximum, pooling.insets == Insets2D(),
        isNonNegative(borders.inputs[0], makers: makers),
        borders.insets.top < pooling.window.size.height, borders.insets.left < pooling.window.size.width
      {
        // A zero never beats a value that is not negative, so it need not be there.
        pooling.insets = borders.insets
      } else {
        continue
      }
      operation.inputs[0] = borders.inputs[0]
      gone.insert(place)
    }
    operations = operations.indices.filter { !gone.contains($0) }.map { operations[$0] }
  }

  private func isNonNegative(_ value: ValueID, makers: [Int?]) -> Bool {
    guard let place = makers[value] else { return false }
    return switch operations[place] {
    case let operation as ActivationOperation: operation.function.isNonNegative
    case let operation as ConvolutionOperation: operation.activation.isNonNegative
    case let operation as ChannelAffineOperation: operation.activation.isNonNegative
    default: false
    }
  }

  /// Applies an activation where its input is made.
  ///
  /// Where a gradient has to come back through it only functions whose derivative the output tells: the input is gone.
  private mutating func fuseActivations() {
    let needsGradient = needsGradient
    absorb { maker, reader in
      guard let activation = reader as? ActivationOperation else { return false }
      let function = activation.function
      guard !needsGradient[activation.output] || function.hasDerivativeFromOutput else { return false }
      switch maker {
      case let operation as ConvolutionOperation where operation.activation == .linear && function.eltwise != nil:
        operation.activation = function
      case let operation as DenseOperation where operation.activation == .linear && function.eltwise != nil:
        operation.activation = function
      case let operation as ChannelAffineOperation where operation.activation == .linear && function.bounds != nil:
        operation.activation = function
      case let operation as BatchStatisticsOperation where operation.activation == .linear && function.bounds != nil:
        operation.activation = function
      default: return false
      }
      return true
    }
  }

  /// Adds a residual where one of the two summands is made.
  private mutating func fuseResiduals() {
    let readers = readerCounts
    var makers = makers
    var gone: Set<Int> = []
    for place in operations.indices {
      guard let sum = operations[place] as? MergeOperation, sum.kind == .add, sum.inputs[0] != sum.inputs[1],
        shapes[sum.inputs[0]] == shapes[sum.inputs[1]]
      else { continue }
      // The later of the two convolutions, so that the other summand is there when it runs.
      let candidates = [0, 1].compactMap { side -> (side: Int, maker: Int)? in
        guard readers[sum.inputs[side]] == 1, let maker = makers[sum.inputs[side]],
          let convolution = operations[maker] as? ConvolutionOperation, convolution.activation == .linear,
          !convolution.hasResidual
        else { return nil }
        return (side, maker)
      }
      guard let best = candidates.max(by: { $0.maker < $1.maker }),
        let convolution = operations[best.maker] as? ConvolutionOperation
      else { continue }
      convolution.inputs.append(sum.inputs[1 - best.side])
      convolution.output = sum.output
      // The convolution moves to where the sum was: by then the other summand exists.
      operations[place] = convolution
      gone.insert(best.maker)
      makers[sum.output] = place
    }
    operations = operations.indices.filter { !gone.contains($0) }.map { operations[$0] }
  }
}

extension Insets2D {
  fileprivate static func + (left: Insets2D, right: Insets2D) -> Insets2D {
    Insets2D(
      top: left.top + right.top, bottom: left.bottom + right.bottom, left: left.left + right.left,
      right: left.right + right.right)
  }
}
