import Tensors

/// All elements of a sample in one row, channels fastest.
public struct Flatten: Layer {
  /// Keras's name of this kind.
  public static let kind = "Flatten"

  /// A flattening.
  public init() {}

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape { [try single(inputs).elementCount] }
}

/// The same elements in the same order under another shape.
public struct Reshape: Layer {
  /// Keras's name of this kind.
  public static let kind = "Reshape"

  /// The extents of one sample; at most one is −1 and takes what is left.
  public var targetShape: [Int]

  /// A change of shape.
  public init(targetShape: [Int]) { self.targetShape = targetShape }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try single(inputs)
    let open = targetShape.indices.filter { targetShape[$0] == -1 }
    var known = 1
    for extent in targetShape where extent != -1 {
      let (product, overflow) = known.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else { throw Self.invalid("target_shape \(targetShape) cannot be a shape") }
      known = product
    }
    var result = targetShape
    if let axis = open.first, open.count == 1, known > 0 { result[axis] = input.elementCount / known }
    guard open.count <= 1, result.allSatisfy({ $0 >= 0 }), Shape(result).elementCount == input.elementCount else {
      throw Self.unfit("\(input) has other elements than target_shape \(targetShape)")
    }
    return Shape(result)
  }
}

/// A vector as often as asked for.
///
/// ## Shapes
/// - input: `[C]`
/// - output: `[count, C]`
public struct RepeatVector: Layer {
  /// Keras's name of this kind.
  public static let kind = "RepeatVector"

  /// How often.
  public var count: Int

  /// A repetition.
  public init(count: Int) { self.count = count }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try single(inputs)
    guard input.rank == 1 else { throw Self.unfit("takes a vector, but its input is \(input)") }
    guard (1...1 << 24).contains(count) else {
      throw Self.invalid("n must be at least 1 and sensible, but is \(count)")
    }
    return [count, input[0]]
  }
}

/// The axes of a sample in another order.
public struct Permute: Layer {
  /// Keras's name of this kind.
  public static let kind = "Permute"

  /// For each axis of the output the axis of the input, counted from 1 as in Keras.
  public var dimensions: [Int]

  /// A transposition.
  public init(dimensions: [Int]) { self.dimensions = dimensions }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try single(inputs)
    guard dimensions.sorted() == Array(1..<input.rank + 1) else {
      throw Self.unfit("dims \(dimensions) do not name each axis of \(input) once, counted from 1")
    }
    return Shape(dimensions.map { input[$0 - 1] })
  }
}
