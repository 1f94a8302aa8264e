import Tensors

/// A function applied to every element, or along the last axis for softmax.
public struct Activation: Layer {
  /// Keras's name of this kind.
  public static let kind = "Activation"

  /// The function.
  public var function: ActivationFunction

  /// A layer that applies one function.
  public init(_ function: ActivationFunction) { self.function = function }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let shape = try single(inputs)
    guard function.isElementwise || shape.rank > 0 else { throw Self.unfit("softmax takes at least one axis") }
    return shape
  }
}
