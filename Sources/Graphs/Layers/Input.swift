import Tensors

/// Where samples enter the network.
public struct Input: Layer {
  /// Keras's name of this kind.
  public static let kind = "InputLayer"

  /// The shape of one sample.
  public var shape: Shape
  /// The axes of `shape` that the network does not insist on: `[0, 1]` where any height and width will do.
  public var freeAxes: [Int]

  /// An input for samples of the given shape.
  public init(shape: Shape, freeAxes: [Int] = []) {
    self.shape = shape
    self.freeAxes = freeAxes
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    guard inputs.isEmpty else { throw Self.unfit("takes no inputs, but has \(inputs.count)") }
    return shape
  }
}
