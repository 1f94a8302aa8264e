import Tensors

/// The largest value in each window of an image, per channel.
///
/// ## Shapes
/// - input: `[H, W, C]`
/// - output: `[H', W', C]`
public struct MaxPooling2D: Layer {
  /// Keras's name of this kind.
  public static let kind = "MaxPooling2D"

  /// Height and width of the window, in pixels.
  public var poolSize: Size2D
  /// Distance between windows, in pixels.
  public var strides: Size2D
  /// How the border is treated; what is outside never wins.
  public var padding: Padding

  /// A pooling whose windows lie side by side unless other strides are given.
  public init(poolSize: Size2D = Size2D(2), strides: Size2D? = nil, padding: Padding = .valid) {
    self.poolSize = poolSize
    self.strides = strides ?? poolSize
    self.padding = padding
  }

  package var window: Window { Window(size: poolSize, strides: strides, padding: padding) }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try image(inputs)
    let size = try convolved(input, window)
    return [size.height, size.width, input[2]]
  }
}

/// The mean of each window of an image, per channel; pixels outside the image do not count.
///
/// ## Shapes
/// - input: `[H, W, C]`
/// - output: `[H', W', C]`
public struct AveragePooling2D: Layer {
  /// Keras's name of this kind.
  public static let kind = "AveragePooling2D"

  /// Height and width of the window, in pixels.
  public var poolSize: Size2D
  /// Distance between windows, in pixels.
  public var strides: Size2D
  /// How the border is treated.
  public var padding: Padding

  /// A pooling whose windows lie side by side unless other strides are given.
  public init(poolSize: Size2D = Size2D(2), strides: Size2D? = nil, padding: Padding = .valid) {
    self.poolSize = poolSize
    self.strides = strides ?? poolSize
    self.padding = padding
  }

  package var window: Window { Window(size: poolSize, strides: strides, padding: padding) }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try image(inputs)
    let size = try convolved(input, window)
    return [size.height, size.width, input[2]]
  }
}
