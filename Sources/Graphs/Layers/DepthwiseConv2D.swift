import Tensors

/// A convolution of every channel by itself.
///
/// ## Shapes
/// - input: `[H, W, Cin]`
/// - output: `[H', W', Cin · depthMultiplier]`; the channels that come from one input channel lie together
/// - kernel: `[KH, KW, Cin, depthMultiplier]`, bias: `[Cin · depthMultiplier]`
public struct DepthwiseConv2D: Layer {
  /// Keras's name of this kind.
  public static let kind = "DepthwiseConv2D"

  /// Height and width of the window, in pixels.
  public var kernelSize: Size2D
  /// Distance between windows, in pixels.
  public var strides: Size2D
  /// How the border is treated.
  public var padding: Padding
  /// Distance between the pixels of one window.
  public var dilation: Size2D
  /// Output channels for each input channel.
  public var depthMultiplier: Int
  /// Whether a bias is added.
  public var usesBias: Bool
  /// Applied to the result.
  public var activation: ActivationFunction

  /// A depthwise convolution with Keras's defaults.
  public init(
    kernelSize: Size2D, strides: Size2D = Size2D(1), padding: Padding = .valid, dilation: Size2D = Size2D(1),
    depthMultiplier: Int = 1, usesBias: Bool = true, activation: ActivationFunction = .linear
  ) {
    self.kernelSize = kernelSize
    self.strides = strides
    self.padding = padding
    self.dilation = dilation
    self.depthMultiplier = depthMultiplier
    self.usesBias = usesBias
    self.activation = activation
  }

  package var window: Window { Window(size: kernelSize, strides: strides, dilation: dilation, padding: padding) }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try image(inputs)
    let size = try convolved(input, window)
    guard (1...1 << 20).contains(depthMultiplier) else {
      throw Self.invalid("depth_multiplier must be at least 1 and sensible, but is \(depthMultiplier)")
    }
    return [size.height, size.width, input[2] * depthMultiplier]
  }

  /// The parameters in Keras's order.
  public func parameters(for inputs: [Shape]) throws(GraphError) -> [Parameter] {
    let input = try image(inputs)
    _ = try outputShape(for: inputs)
    let area = kernelSize.height * kernelSize.width
    let shape: Shape = [kernelSize.height, kernelSize.width, input[2], depthMultiplier]
    let kernel = Parameter("kernel", shape, .kernel(fanIn: area, fanOut: area * depthMultiplier))
    return usesBias ? [kernel, Parameter("bias", [input[2] * depthMultiplier], .bias)] : [kernel]
  }
}
