import Tensors

/// Lays zeros around an image.
///
/// ## Shapes
/// - input: `[H, W, C]`
/// - output: `[H + top + bottom, W + left + right, C]`
public struct ZeroPadding2D: Layer {
  /// Keras's name of this kind.
  public static let kind = "ZeroPadding2D"

  /// Rows and columns that are added.
  public var padding: Insets2D

  /// A frame of zeros.
  public init(padding: Insets2D = Insets2D(1)) { self.padding = padding }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try image(inputs)
    guard padding.isPlausible else { throw Self.invalid("padding must be zero or more and sensible on every side") }
    return [
      input[0] + padding.top + padding.bottom, input[1] + padding.left + padding.right, input[2],
    ]
  }
}

/// Cuts rows and columns off an image.
///
/// ## Shapes
/// - input: `[H, W, C]`
/// - output: `[H − top − bottom, W − left − right, C]`
public struct Cropping2D: Layer {
  /// Keras's name of this kind.
  public static let kind = "Cropping2D"

  /// Rows and columns that are taken away.
  public var cropping: Insets2D

  /// A cut on every side.
  public init(cropping: Insets2D) { self.cropping = cropping }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try image(inputs)
    guard cropping.isPlausible else { throw Self.invalid("cropping must be zero or more and sensible on every side") }
    let height = input[0] - cropping.top - cropping.bottom
    let width = input[1] - cropping.left - cropping.right
    guard height > 0, width > 0 else { throw Self.unfit("cropping leaves nothing of the input \(input)") }
    return [height, width, input[2]]
  }
}

extension Insets2D {
  fileprivate var isPlausible: Bool { [top, bottom, left, right].allSatisfy { (0...1 << 20).contains($0) } }
}
