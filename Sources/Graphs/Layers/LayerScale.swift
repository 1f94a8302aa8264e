import Tensors

/// Multiplies every channel by a number that is learnt: y = γ·x.
///
/// Touvron et al., 2021.
///
/// ## Shapes
/// - input and output: `[…, C]`
/// - gamma: `[C]`
public struct LayerScale: Layer {
  /// Keras's name of this kind.
  public static let kind = "LayerScale"

  /// How many channels there are.
  public var channels: Int
  /// What gamma is before any training.
  public var initialValue: Float

  /// A scale for each channel.
  public init(channels: Int, initialValue: Float = 1e-6) {
    self.channels = channels
    self.initialValue = initialValue
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let shape = try single(inputs)
    guard shape.rank > 0, shape[-1] == channels else {
      throw Self.unfit("takes \(channels) channels, but its input is \(shape)")
    }
    return shape
  }

  /// The parameters in Keras's order.
  public func parameters(for inputs: [Shape]) throws(GraphError) -> [Parameter] {
    _ = try outputShape(for: inputs)
    return [Parameter("gamma", [channels], .gamma)]
  }
}
