import Tensors

/// A convolution over the rows and columns of an image.
///
/// ## Shapes
/// - input: `[H, W, Cin]`
/// - output: `[H', W', filters]`
/// - kernel: `[KH, KW, Cin / groups, filters]`, bias: `[filters]`
public struct Conv2D: Layer {
  /// Keras's name of this kind.
  public static let kind = "Conv2D"

  /// The number of output channels.
  public var filters: Int
  /// Height and width of the window, in pixels.
  public var kernelSize: Size2D
  /// Distance between windows, in pixels.
  public var strides: Size2D
  /// How the border is treated.
  public var padding: Padding
  /// Distance between the pixels of one window.
  public var dilation: Size2D
  /// Into how many groups the channels are cut; each output group sees its input group alone.
  public var groups: Int
  /// Whether a bias is added.
  public var usesBias: Bool
  /// Applied to the result.
  public var activation: ActivationFunction

  /// A convolution with Keras's defaults.
  public init(
    filters: Int, kernelSize: Size2D, strides: Size2D = Size2D(1), padding: Padding = .valid,
    dilation: Size2D = Size2D(1), groups: Int = 1, usesBias: Bool = true, activation: ActivationFunction = .linear
  ) {
    self.filters = filters
    self.kernelSize = kernelSize
    self.strides = strides
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    self.usesBias = usesBias
    self.activation = activation
  }

  package var window: Window { Window(size: kernelSize, strides: strides, dilation: dilation, padding: padding) }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try image(inputs)
    let size = try convolved(input, window)
    guard (1...1 << 24).contains(filters) else {
      throw Self.invalid("filters must be at least 1 and sensible, but is \(filters)")
    }
    guard groups > 0, filters % groups == 0, input[2] % groups == 0 else {
      throw Self.unfit("\(groups) groups do not divide \(input[2]) input channels and \(filters) filters")
    }
    return [size.height, size.width, filters]
  }

  /// The parameters in Keras's order.
  public func parameters(for inputs: [Shape]) throws(GraphError) -> [Parameter] {
    let input = try image(inputs)
    _ = try outputShape(for: inputs)
    let area = kernelSize.height * kernelSize.width
    let shape: Shape = [kernelSize.height, kernelSize.width, input[2] / groups, filters]
    let kernel = Parameter("kernel", shape, .kernel(fanIn: area * input[2] / groups, fanOut: area * filters))
    return usesBias ? [kernel, Parameter("bias", [filters], .bias)] : [kernel]
  }
}

extension Layer {
  /// The size of an image after a window has slid over it.
  func convolved(_ input: Shape, _ window: Window) throws(GraphError) -> Size2D {
    if let defect = window.defect { throw Self.invalid(defect) }
    guard let size = window.outputSize(for: Size2D(input[0], input[1])) else {
      throw Self.unfit("a window of \(window.size) does not fit into the input \(input)")
    }
    return size
  }
}
