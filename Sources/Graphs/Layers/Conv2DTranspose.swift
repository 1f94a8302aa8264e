import Tensors

/// The transpose of a convolution: spreads every pixel over a window, and so enlarges an image.
///
/// ## Shapes
/// - input: `[H, W, Cin]`
/// - output: `[H', W', filters]`; with `same` padding H' = H · stride
/// - kernel: `[KH, KW, filters, Cin]`, bias: `[filters]`
public struct Conv2DTranspose: Layer {
  /// Keras's name of this kind.
  public static let kind = "Conv2DTranspose"

  /// The number of output channels.
  public var filters: Int
  /// Height and width of the window, in pixels.
  public var kernelSize: Size2D
  /// Distance between windows in the output, in pixels.
  public var strides: Size2D
  /// Whether the output is cut at its border.
  public var padding: Padding
  /// Rows and columns that are added to the output at its end, fewer than a stride; nil for Keras's own rule.
  public var outputPadding: Size2D?
  /// Distance between the pixels of one window.
  public var dilation: Size2D
  /// Whether a bias is added.
  public var usesBias: Bool
  /// Applied to the result.
  public var activation: ActivationFunction

  /// A transposed convolution with Keras's defaults.
  public init(
    filters: Int, kernelSize: Size2D, strides: Size2D = Size2D(1), padding: Padding = .valid,
    outputPadding: Size2D? = nil, dilation: Size2D = Size2D(1), usesBias: Bool = true,
    activation: ActivationFunction = .linear
  ) {
    self.filters = filters
    self.kernelSize = kernelSize
    self.strides = strides
    self.padding = padding
    self.outputPadding = outputPadding
    self.dilation = dilation
    self.usesBias = usesBias
    self.activation = activation
  }

  package var window: Window { Window(size: kernelSize, strides: strides, dilation: dilation, padding: padding) }

  /// The extent of the output along one axis, and how much of the first window lies before it.
  private func extent(_ input: Int, _ size: Int, _ stride: Int, _ dilation: Int, _ added: Int?) -> (Int, before: Int) {
    let span = (size - 1) * dilation + 1
    switch (padding, added) {
    case (.valid, nil): return (input * stride + max(span - stride, 0), 0)
    case (.valid, let added?): return ((input - 1) * stride + span + added, 0)
    case (.same, nil): return (input * stride, max(0, (span - stride) / 2))
    case (.same, let added?):
      let total = span + span % 2 - 2 + added
      return ((input - 1) * stride + span % 2 + added, max(0, span - 1 - (total + 1) / 2))
    }
  }

  /// How much of the windows lies outside of the output, as the padding of the convolution that this one transposes.
  package func insets(for input: Size2D) -> Insets2D {
    func sides(_ input: Int, _ size: Int, _ stride: Int, _ dilation: Int, _ added: Int?) -> (Int, Int) {
      let (output, before) = extent(input, size, stride, dilation, added)
      return (before, max(0, (input - 1) * stride + (size - 1) * dilation + 1 - before - output))
    }
    let rows = sides(input.height, kernelSize.height, strides.height, dilation.height, outputPadding?.height)
    let columns = sides(input.width, kernelSize.width, strides.width, dilation.width, outputPadding?.width)
    return Insets2D(top: rows.0, bottom: rows.1, left: columns.0, right: columns.1)
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try image(inputs)
    if let defect = window.defect { throw Self.invalid(defect) }
    guard (1...1 << 24).contains(filters) else {
      throw Self.invalid("filters must be at least 1 and sensible, but is \(filters)")
    }
    if let added = outputPadding {
      guard added.height >= 0, added.height < strides.height, added.width >= 0, added.width < strides.width else {
        throw Self.invalid("output_padding must be at least 0 and below the strides \(strides), but is \(added)")
      }
    }
    let rows = extent(input[0], kernelSize.height, strides.height, dilation.height, outputPadding?.height).0
    let columns = extent(input[1], kernelSize.width, strides.width, dilation.width, outputPadding?.width).0
    guard rows > 0, columns > 0 else { throw Self.unfit("leaves nothing of the input \(input)") }
    return [rows, columns, filters]
  }

  /// The parameters in Keras's order.
  public func parameters(for inputs: [Shape]) throws(GraphError) -> [Parameter] {
    let input = try image(inputs)
    _ = try outputShape(for: inputs)
    let area = kernelSize.height * kernelSize.width
    let shape: Shape = [kernelSize.height, kernelSize.width, filters, input[2]]
    // Keras starts the kernel like that of the convolution which this one transposes.
    let kernel = Parameter("kernel", shape, .kernel(fanIn: area * filters, fanOut: area * input[2]))
    return usesBias ? [kernel, Parameter("bias", [filters], .bias)] : [kernel]
  }
}

/// The transpose of a convolution along a sequence.
///
/// ## Shapes
/// - input: `[L, Cin]`
/// - output: `[L', filters]`; with `same` padding L' = L · stride
/// - kernel: `[K, filters, Cin]`, bias: `[filters]`
public struct Conv1DTranspose: SequenceLayer {
  /// Keras's name of this kind.
  public static let kind = "Conv1DTranspose"

  /// The number of output channels.
  public var filters: Int
  /// The length of the window.
  public var kernelSize: Int
  /// Distance between windows in the output.
  public var stride: Int
  /// Whether the output is cut at its ends.
  public var padding: Padding
  /// Steps that are added to the output at its end, fewer than a stride; nil for Keras's own rule.
  public var outputPadding: Int?
  /// Distance between the steps of one window.
  public var dilation: Int
  /// Whether a bias is added.
  public var usesBias: Bool
  /// Applied to the result.
  public var activation: ActivationFunction

  /// A transposed convolution with Keras's defaults.
  public init(
    filters: Int, kernelSize: Int, stride: Int = 1, padding: Padding = .valid, outputPadding: Int? = nil,
    dilation: Int = 1, usesBias: Bool = true, activation: ActivationFunction = .linear
  ) {
    self.filters = filters
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding
    self.outputPadding = outputPadding
    self.dilation = dilation
    self.usesBias = usesBias
    self.activation = activation
  }

  /// The transposed convolution of an image of one row.
  public var planar: any Layer {
    Conv2DTranspose(
      filters: filters, kernelSize: Size2D(1, kernelSize), strides: Size2D(1, stride), padding: padding,
      outputPadding: outputPadding.map { Size2D(0, $0) }, dilation: Size2D(1, dilation), usesBias: usesBias,
      activation: activation)
  }
}
