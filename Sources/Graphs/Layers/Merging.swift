import Tensors

/// The sum of its inputs, element by element; an axis of extent 1 is repeated.
public struct Add: Layer {
  /// Keras's name of this kind.
  public static let kind = "Add"

  /// A sum.
  public init() {}

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape { try broadcast(inputs) }
}

/// The product of its inputs, element by element; an axis of extent 1 is repeated.
public struct Multiply: Layer {
  /// Keras's name of this kind.
  public static let kind = "Multiply"

  /// A product.
  public init() {}

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape { try broadcast(inputs) }
}

/// The first input without the second, element by element; an axis of extent 1 is repeated.
public struct Subtract: Layer {
  /// Keras's name of this kind.
  public static let kind = "Subtract"

  /// A difference.
  public init() {}

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    guard inputs.count == 2 else { throw Self.unfit("takes two inputs, but has \(inputs.count)") }
    return try broadcast(inputs)
  }
}

/// The mean of its inputs, element by element; an axis of extent 1 is repeated.
public struct Average: Layer {
  /// Keras's name of this kind.
  public static let kind = "Average"

  /// A mean.
  public init() {}

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape { try broadcast(inputs) }
}

/// The largest of its inputs, element by element; an axis of extent 1 is repeated.
public struct Maximum: Layer {
  /// Keras's name of this kind.
  public static let kind = "Maximum"

  /// A maximum.
  public init() {}

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape { try broadcast(inputs) }
}

/// The smallest of its inputs, element by element; an axis of extent 1 is repeated.
public struct Minimum: Layer {
  /// Keras's name of this kind.
  public static let kind = "Minimum"

  /// A minimum.
  public init() {}

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape { try broadcast(inputs) }
}

/// The first input and a share of the second: y = a + scale·b, as the residual branches of Inception-ResNet end.
public struct ScaledAdd: Layer {
  /// Keras's name of this kind.
  public static let kind = "CustomScaleLayer"

  /// The factor of the second input.
  public var scale: Float

  /// A sum with a scaled second summand.
  public init(scale: Float) { self.scale = scale }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    guard inputs.count == 2 else { throw Self.unfit("takes two inputs, but has \(inputs.count)") }
    return try broadcast(inputs)
  }
}

/// Its inputs one behind another along an axis.
public struct Concatenate: Layer {
  /// Keras's name of this kind.
  public static let kind = "Concatenate"

  /// The axis of one sample, counted from the first; −1 is the last.
  public var axis: Int

  /// A concatenation, of channels unless another axis of the sample is given.
  public init(axis: Int = -1) { self.axis = axis }

  /// The axis counted from the first, for samples of the given rank.
  package func resolvedAxis(rank: Int) -> Int { axis < 0 ? axis + rank : axis }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    guard var result = inputs.first else { throw Self.unfit("takes at least one input") }
    guard axis >= -result.rank, axis < result.rank else {
      throw Self.invalid("axis \(axis) does not exist in the input \(result)")
    }
    let axis = resolvedAxis(rank: result.rank)
    for input in inputs.dropFirst() {
      var other = input
      if other.rank == result.rank { other[axis] = result[axis] }
      guard other == result else { throw Self.unfit("cannot join \(input) to \(inputs[0]) along axis \(self.axis)") }
      result[axis] += input[axis]
    }
    return result
  }
}

extension Layer {
  fileprivate func broadcast(_ inputs: [Shape]) throws(GraphError) -> Shape {
    guard var result = inputs.first, inputs.count > 1 else {
      throw Self.unfit("takes at least two inputs, but has \(inputs.count)")
    }
    let rank = inputs.reduce(0) { max($0, $1.rank) }
    result = result.widened(to: rank)
    for input in inputs.dropFirst().map({ $0.widened(to: rank) }) {
      for axis in 0..<input.rank where input[axis] != result[axis] {
        guard input[axis] == 1 || result[axis] == 1 else { throw Self.unfit("cannot combine \(result) and \(input)") }
        result[axis] = max(result[axis], input[axis])
      }
    }
    return result
  }
}

extension Shape {
  /// The same shape with so many axes: Keras puts the missing ones, of extent 1, before all others of a sample.
  package func widened(to rank: Int) -> Shape {
    Shape(Array(repeating: 1, count: max(0, rank - self.rank)) + dimensions)
  }
}
