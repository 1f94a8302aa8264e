import Tensors

/// A depthwise convolution followed by a 1x1 convolution, as one layer.
///
/// ## Shapes
/// - input: `[H, W, Cin]`
/// - output: `[H', W', filters]`
/// - depthwise kernel: `[KH, KW, Cin, depthMultiplier]`, pointwise kernel: `[1, 1, Cin · depthMultiplier, filters]`,
///   bias: `[filters]`
public struct SeparableConv2D: Layer {
  /// Keras's name of this kind.
  public static let kind = "SeparableConv2D"

  /// The number of output channels.
  public var filters: Int
  /// The depthwise part; it has no bias and no activation.
  public var kernelSize: Size2D
  /// Distance between windows, in pixels.
  public var strides: Size2D
  /// How the border is treated.
  public var padding: Padding
  /// Distance between the pixels of one window.
  public var dilation: Size2D
  /// Channels between the two parts for each input channel.
  public var depthMultiplier: Int
  /// Whether a bias is added.
  public var usesBias: Bool
  /// Applied to the result.
  public var activation: ActivationFunction

  /// A separable convolution with Keras's defaults.
  public init(
    filters: Int, kernelSize: Size2D, strides: Size2D = Size2D(1), padding: Padding = .valid,
    dilation: Size2D = Size2D(1), depthMultiplier: Int = 1, usesBias: Bool = true,
    activation: ActivationFunction = .linear
  ) {
    self.filters = filters
    self.kernelSize = kernelSize
    self.strides = strides
    self.padding = padding
    self.dilation = dilation
    self.depthMultiplier = depthMultiplier
    self.usesBias = usesBias
    self.activation = activation
  }

  /// The first part, applied to each channel by itself.
  package var depthwise: DepthwiseConv2D {
    DepthwiseConv2D(
      kernelSize: kernelSize, strides: strides, padding: padding, dilation: dilation,
      depthMultiplier: depthMultiplier, usesBias: false)
  }

  /// The second part, which mixes the channels.
  package var pointwise: Conv2D {
    Conv2D(filters: filters, kernelSize: Size2D(1), usesBias: usesBias, activation: activation)
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    try pointwise.outputShape(for: [depthwise.outputShape(for: inputs)])
  }

  /// The parameters in Keras's order.
  public func parameters(for inputs: [Shape]) throws(GraphError) -> [Parameter] {
    var result = try depthwise.parameters(for: inputs)
    result[0].name = "depthwise_kernel"
    var second = try pointwise.parameters(for: [depthwise.outputShape(for: inputs)])
    second[0].name = "pointwise_kernel"
    return result + second
  }
}
