import Graphs
import Tensors

extension Program {
  /// Exchanges means over windows with the windows of one by one beside them, where fewer numbers are then worked on.
  ///
  /// A sum of channels and a mean of pixels can be taken in either order. Where a mean leaves fewer pixels it comes first,
  /// as at the end of a block of DenseNet; where as many are left, whatever makes the channels fewer comes first, as in the
  /// blocks of Inception.
  mutating func orderMeans() {
    let readers = readerCounts
    var makers: [ValueID: any Operation] = [:]
    for operation in operations { makers[operation.output] = operation }
    var before: [ObjectIdentifier: [any Operation]] = [:]
    var gone: Set<ObjectIdentifier> = []
    for operation in operations {
      guard let input = operation.inputs.first, readers[input] == 1, let maker = makers[input] else { continue }
      // The place of the earlier one is that of both: what it reads is there.
      if let mean = operation as? PoolingOperation, let sum = maker as? ConvolutionOperation, mean.kind == .average,
        mean.window.strides != Size2D(1), sum.addsChannels
      {
        exchange(first: sum, with: mean, size: shapes[mean.output])
      } else if let sum = operation as? ConvolutionOperation, let mean = maker as? PoolingOperation,
        mean.kind == .average, mean.window.strides == Size2D(1), sum.addsChannels,
        sum.kernel.columns < sum.kernel.rows
      {
        exchange(first: mean, with: sum, size: shapes[mean.inputs[0]])
      } else {
        continue
      }
      before[ObjectIdentifier(maker), default: []].append(operation)
      gone.insert(ObjectIdentifier(operation))
      makers[maker.output] = maker
    }
    operations = operations.flatMap { operation -> [any Operation] in
      gone.contains(ObjectIdentifier(operation)) ? [] : before[ObjectIdentifier(operation), default: []] + [operation]
    }
  }

  /// Lets the second of two operations read what the first did, and the first make what the second did.
  ///
  /// - Parameter size: The rows and columns of what lies between them then.
  private mutating func exchange(first: any Operation, with second: any Operation, size: Shape) {
    let last = second.output
    second.inputs[0] = first.inputs[0]
    let channels = (second as? ConvolutionOperation)?.kernel.columns ?? shapes[first.inputs[0]][2]
    first.inputs[0] = makeOutput(of: second, shape: [size[0], size[1], channels])
    first.output = last
  }
}

extension ConvolutionOperation {
  /// Whether each pixel of the result is a sum over the channels of one pixel, and nothing else.
  fileprivate var addsChannels: Bool {
    kernel.dimensions.count == 4 && window.size == Size2D(1) && window.strides == Size2D(1) && insets == Insets2D()
      && activation == .linear && !hasResidual
  }
}
