import Tensors

/// A convolution along a sequence.
///
/// ## Shapes
/// - input: `[L, Cin]`
/// - output: `[L', filters]`
/// - kernel: `[K, Cin / groups, filters]`, bias: `[filters]`
public struct Conv1D: SequenceLayer {
  /// Keras's name of this kind.
  public static let kind = "Conv1D"

  /// How the ends of a sequence are treated.
  public enum Ends: String, Hashable, Sendable {
    /// Windows stay inside the sequence.
    case valid
    /// Zeros are laid around the sequence so that the output has ⌈L / stride⌉ steps.
    case same
    /// Zeros are laid before the sequence alone, so that no step of the output sees a later one of the input.
    case causal
  }

  /// The number of output channels.
  public var filters: Int
  /// The length of the window.
  public var kernelSize: Int
  /// Distance between windows.
  public var stride: Int
  /// How the ends are treated.
  public var padding: Ends
  /// Distance between the steps of one window.
  public var dilation: Int
  /// Into how many groups the channels are cut.
  public var groups: Int
  /// Whether a bias is added.
  public var usesBias: Bool
  /// Applied to the result.
  public var activation: ActivationFunction

  /// A convolution with Keras's defaults.
  public init(
    filters: Int, kernelSize: Int, stride: Int = 1, padding: Ends = .valid, dilation: Int = 1, groups: Int = 1,
    usesBias: Bool = true, activation: ActivationFunction = .linear
  ) {
    self.filters = filters
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    self.usesBias = usesBias
    self.activation = activation
  }

  /// The convolution of an image of one row, to which the zeros of a causal one have been added already.
  public var planar: any Layer {
    Conv2D(
      filters: filters, kernelSize: Size2D(1, kernelSize), strides: Size2D(1, stride),
      padding: padding == .same ? .same : .valid, dilation: Size2D(1, dilation), groups: groups, usesBias: usesBias,
      activation: activation)
  }

  /// The zeros before a sequence.
  package var causalInsets: Insets2D {
    Insets2D(left: padding == .causal ? max(0, (kernelSize - 1) * dilation) : 0)
  }

  /// The sequence as an image of one row, with its zeros.
  package func row(_ inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try single(inputs)
    guard input.rank == 2 else { throw Self.unfit("takes a sequence [L, C], but its input is \(input)") }
    guard (1...1 << 12).contains(kernelSize), (1...1 << 12).contains(dilation) else {
      throw Self.invalid("kernel_size and dilation_rate must be 1 to 4096, but are \(kernelSize) and \(dilation)")
    }
    return [1, input[0] + causalInsets.left, input[1]]
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let output = try planar.outputShape(for: [try row(inputs)])
    return [output[1], output[2]]
  }
}

/// A convolution along a sequence, of every channel by itself.
///
/// ## Shapes
/// - input: `[L, Cin]`
/// - output: `[L', Cin · depthMultiplier]`
/// - kernel: `[K, Cin, depthMultiplier]`, bias: `[Cin · depthMultiplier]`
public struct DepthwiseConv1D: SequenceLayer {
  /// Keras's name of this kind.
  public static let kind = "DepthwiseConv1D"

  /// The length of the window.
  public var kernelSize: Int
  /// Distance between windows.
  public var stride: Int
  /// How the ends are treated.
  public var padding: Padding
  /// Distance between the steps of one window.
  public var dilation: Int
  /// Output channels for each input channel.
  public var depthMultiplier: Int
  /// Whether a bias is added.
  public var usesBias: Bool
  /// Applied to the result.
  public var activation: ActivationFunction

  /// A depthwise convolution with Keras's defaults.
  public init(
    kernelSize: Int, stride: Int = 1, padding: Padding = .valid, dilation: Int = 1, depthMultiplier: Int = 1,
    usesBias: Bool = true, activation: ActivationFunction = .linear
  ) {
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.depthMultiplier = depthMultiplier
    self.usesBias = usesBias
    self.activation = activation
  }

  /// The convolution of an image of one row.
  public var planar: any Layer {
    DepthwiseConv2D(
      kernelSize: Size2D(1, kernelSize), strides: Size2D(1, stride), padding: padding, dilation: Size2D(1, dilation),
      depthMultiplier: depthMultiplier, usesBias: usesBias, activation: activation)
  }
}

/// A depthwise convolution along a sequence followed by one that mixes the channels, as one layer.
///
/// ## Shapes
/// - input: `[L, Cin]`
/// - output: `[L', filters]`
/// - depthwise kernel: `[K, Cin, depthMultiplier]`, pointwise kernel: `[1, Cin · depthMultiplier, filters]`, bias:
///   `[filters]`
public struct SeparableConv1D: SequenceLayer {
  /// Keras's name of this kind.
  public static let kind = "SeparableConv1D"

  /// The number of output channels.
  public var filters: Int
  /// The length of the window.
  public var kernelSize: Int
  /// Distance between windows.
  public var stride: Int
  /// How the ends are treated.
  public var padding: Padding
  /// Distance between the steps of one window.
  public var dilation: Int
  /// Channels between the two parts for each input channel.
  public var depthMultiplier: Int
  /// Whether a bias is added.
  public var usesBias: Bool
  /// Applied to the result.
  public var activation: ActivationFunction

  /// A separable convolution with Keras's defaults.
  public init(
    filters: Int, kernelSize: Int, stride: Int = 1, padding: Padding = .valid, dilation: Int = 1,
    depthMultiplier: Int = 1, usesBias: Bool = true, activation: ActivationFunction = .linear
  ) {
    self.filters = filters
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.depthMultiplier = depthMultiplier
    self.usesBias = usesBias
    self.activation = activation
  }

  /// The convolution of an image of one row.
  public var planar: any Layer {
    SeparableConv2D(
      filters: filters, kernelSize: Size2D(1, kernelSize), strides: Size2D(1, stride), padding: padding,
      dilation: Size2D(1, dilation), depthMultiplier: depthMultiplier, usesBias: usesBias, activation: activation)
  }
}
