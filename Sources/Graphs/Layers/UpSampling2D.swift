import Tensors

/// Enlarges an image by whole factors.
///
/// ## Shapes
/// - input: `[H, W, C]`
/// - output: `[H · size.height, W · size.width, C]`
public struct UpSampling2D: Layer {
  /// Keras's name of this kind.
  public static let kind = "UpSampling2D"

  /// How the new pixels get their values.
  public enum Interpolation: String, Hashable, Sendable {
    /// Each pixel is repeated.
    case nearest
    /// Between the four nearest pixels, by distance between pixel centres.
    case bilinear
  }

  /// How many pixels each becomes, down and across.
  public var size: Size2D
  /// How the new pixels get their values.
  public var interpolation: Interpolation

  /// An enlargement.
  public init(size: Size2D = Size2D(2), interpolation: Interpolation = .nearest) {
    self.size = size
    self.interpolation = interpolation
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try image(inputs)
    guard (1...1 << 16).contains(size.height), (1...1 << 16).contains(size.width) else {
      throw Self.invalid("size must be at least 1x1 and sensible, but is \(size)")
    }
    return [input[0] * size.height, input[1] * size.width, input[2]]
  }
}
