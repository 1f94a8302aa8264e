import Tensors

/// Inputs of one shape one behind another along an axis that was not there.
///
/// A single input gets an axis of extent 1.
public struct Stack: Layer {
  /// Keras's name of this kind.
  public static let kind = "Stack"

  /// The new axis among those of one sample of the output; negative ones count from behind.
  public var axis: Int

  /// A pile of inputs, by default along a new last axis.
  public init(axis: Int = -1) { self.axis = axis }

  /// The new axis counted from the first, for outputs of the given rank.
  package func resolvedAxis(rank: Int) -> Int { axis < 0 ? axis + rank : axis }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    guard let first = inputs.first else { throw Self.unfit("takes at least one input") }
    for input in inputs where input != first { throw Self.unfit("cannot stack \(input) on \(first)") }
    let axis = resolvedAxis(rank: first.rank + 1)
    guard (0...first.rank).contains(axis) else {
      throw Self.invalid("axis \(self.axis) cannot be added to the input \(first)")
    }
    var result = first.dimensions
    result.insert(inputs.count, at: axis)
    return Shape(result)
  }
}
