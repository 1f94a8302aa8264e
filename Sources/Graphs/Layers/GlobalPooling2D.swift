import Tensors

/// The mean of every channel over the whole image.
///
/// ## Shapes
/// - input: `[H, W, C]`
/// - output: `[C]`, or `[1, 1, C]` where the axes are kept
public struct GlobalAveragePooling2D: Layer {
  /// Keras's name of this kind.
  public static let kind = "GlobalAveragePooling2D"

  /// Whether the axes of height and width remain, with extent 1.
  public var keepsAxes: Bool

  /// A pooling over the whole image.
  public init(keepsAxes: Bool = false) { self.keepsAxes = keepsAxes }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    try globallyPooled(inputs, keepsAxes: keepsAxes)
  }
}

/// The largest value of every channel over the whole image.
///
/// ## Shapes
/// - input: `[H, W, C]`
/// - output: `[C]`, or `[1, 1, C]` where the axes are kept
public struct GlobalMaxPooling2D: Layer {
  /// Keras's name of this kind.
  public static let kind = "GlobalMaxPooling2D"

  /// Whether the axes of height and width remain, with extent 1.
  public var keepsAxes: Bool

  /// A pooling over the whole image.
  public init(keepsAxes: Bool = false) { self.keepsAxes = keepsAxes }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    try globallyPooled(inputs, keepsAxes: keepsAxes)
  }
}

extension Layer {
  fileprivate func globallyPooled(_ inputs: [Shape], keepsAxes: Bool) throws(GraphError) -> Shape {
    let input = try image(inputs)
    guard input[0] > 0, input[1] > 0 else { throw Self.unfit("cannot pool over the empty image \(input)") }
    return keepsAxes ? [1, 1, input[2]] : [input[2]]
  }
}
