import Tensors

/// Brings an image to a given size, by the distance between pixel centres.
///
/// ## Shapes
/// - input: `[H, W, C]`
/// - output: `[size.height, size.width, C]`
public struct Resizing: Layer {
  /// Keras's name of this kind.
  public static let kind = "Resizing"

  /// Height and width of the result, in pixels.
  public var size: Size2D
  /// How the new pixels get their values.
  public var interpolation: UpSampling2D.Interpolation

  /// A change of size.
  public init(size: Size2D, interpolation: UpSampling2D.Interpolation = .bilinear) {
    self.size = size
    self.interpolation = interpolation
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try image(inputs)
    guard (1...1 << 16).contains(size.height), (1...1 << 16).contains(size.width) else {
      throw Self.invalid("size must be at least 1x1 and sensible, but is \(size)")
    }
    return [size.height, size.width, input[2]]
  }
}

/// Cuts the middle out of an image.
///
/// ## Shapes
/// - input: `[H, W, C]`
/// - output: `[size.height, size.width, C]`
public struct CenterCrop: Layer {
  /// Keras's name of this kind.
  public static let kind = "CenterCrop"

  /// Height and width of the result, in pixels.
  public var size: Size2D

  /// A cut to the given size.
  public init(size: Size2D) { self.size = size }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try image(inputs)
    guard size.height > 0, size.width > 0 else { throw Self.invalid("size must be at least 1x1, but is \(size)") }
    guard size.height <= input[0], size.width <= input[1] else {
      throw Self.unfit("cannot cut \(size) out of the smaller image \(input)")
    }
    return [size.height, size.width, input[2]]
  }

  /// What is cut off; where it is odd one row or column more is cut off at the end.
  package func insets(for input: Shape) -> Insets2D {
    let (rows, columns) = (input[0] - size.height, input[1] - size.width)
    return Insets2D(top: rows / 2, bottom: rows - rows / 2, left: columns / 2, right: columns - columns / 2)
  }
}
