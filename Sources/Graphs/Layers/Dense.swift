import Tensors

/// A linear map of the last axis.
///
/// ## Shapes
/// - input: `[…, Cin]`
/// - output: `[…, units]`
/// - kernel: `[Cin, units]`, bias: `[units]`
public struct Dense: Layer {
  /// Keras's name of this kind.
  public static let kind = "Dense"

  /// The number of outputs.
  public var units: Int
  /// Whether a bias is added.
  public var usesBias: Bool
  /// Applied to the result.
  public var activation: ActivationFunction

  /// A dense layer with Keras's defaults.
  public init(units: Int, usesBias: Bool = true, activation: ActivationFunction = .linear) {
    self.units = units
    self.usesBias = usesBias
    self.activation = activation
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    var shape = try single(inputs)
    guard shape.rank > 0 else { throw Self.unfit("takes at least one axis, but its input is a scalar") }
    guard (1...1 << 24).contains(units) else {
      throw Self.invalid("units must be at least 1 and sensible, but is \(units)")
    }
    shape[-1] = units
    return shape
  }

  /// The parameters in Keras's order.
  public func parameters(for inputs: [Shape]) throws(GraphError) -> [Parameter] {
    let input = try single(inputs)
    guard input.rank > 0 else { throw Self.unfit("takes at least one axis, but its input is a scalar") }
    let kernel = Parameter("kernel", [input[-1], units], .kernel(fanIn: input[-1], fanOut: units))
    return usesBias ? [kernel, Parameter("bias", [units], .bias)] : [kernel]
  }
}
