import Tensors

/// Sets a share of its elements to zero while training and scales the rest up; does nothing in inference.
///
/// Srivastava et al., 2014.
public struct Dropout: Layer {
  /// Keras's name of this kind.
  public static let kind = "Dropout"

  /// The share of elements that are dropped, 0 ≤ rate < 1.
  public var rate: Float
  /// Whether an image is dropped as a whole or not at all, as in stochastic depth (Huang et al., 2016).
  public var dropsWholeImages: Bool

  /// A dropout of the given share.
  public init(rate: Float, dropsWholeImages: Bool = false) {
    self.rate = rate
    self.dropsWholeImages = dropsWholeImages
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    guard rate >= 0, rate < 1 else { throw Self.invalid("rate must be at least 0 and below 1, but is \(rate)") }
    return dropsWholeImages ? try image(inputs) : try single(inputs)
  }
}
