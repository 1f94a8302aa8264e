import Tensors

/// x where x > 0, and α·x below, with α learnt: He et al., 2015.
///
/// ## Shapes
/// - input and output: any
/// - alpha: the input's, with extent 1 along shared axes
public struct PReLU: Layer {
  /// Keras's name of this kind.
  public static let kind = "PReLU"

  /// The axes of one sample along which all elements share one number, counted from the first; −1 is the last.
  public var sharedAxes: [Int]

  /// A rectifier with a slope for each element, or one for all along shared axes.
  public init(sharedAxes: [Int] = []) { self.sharedAxes = sharedAxes }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let shape = try single(inputs)
    if !sharedAxes.isEmpty { _ = try resolved(sharedAxes, in: shape) }
    return shape
  }

  /// The parameters in Keras's order.
  public func parameters(for inputs: [Shape]) throws(GraphError) -> [Parameter] {
    var shape = try outputShape(for: inputs)
    for axis in sharedAxes { shape[axis] = 1 }
    return [Parameter("alpha", shape, .bias)]
  }
}

/// eˣ divided by its sum over some axes.
public struct Softmax: Layer {
  /// Keras's name of this kind.
  public static let kind = "Softmax"

  /// The axes of one sample that the sum is taken over, counted from the first; −1 is the last.
  public var axes: [Int]

  /// A softmax over the last axis unless others are given.
  public init(axes: [Int] = [-1]) { self.axes = axes }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let shape = try single(inputs)
    _ = try resolved(axes, in: shape)
    return shape
  }
}
