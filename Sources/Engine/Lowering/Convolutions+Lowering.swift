import Graphs
import Tensors

extension Conv2D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let input = program.shapes[site.inputs[0]]
    let result = program.append(
      ConvolutionOperation(
        name: site.name, input: site.inputs[0],
        kernel: .dense(site.path("kernel"), size: kernelSize, inputs: input[2], outputs: filters, groups: groups),
        bias: usesBias ? site.path("bias") : nil, window: window,
        insets: window.insets(for: Size2D(input[0], input[1]))),
      shape: site.outputShape)
    return program.activate(result, activation, name: site.name)
  }
}

extension DepthwiseConv2D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let input = program.shapes[site.inputs[0]]
    let result = program.append(
      ConvolutionOperation(
        name: site.name, input: site.inputs[0],
        kernel: .depthwise(site.path("kernel"), size: kernelSize, channels: input[2], multiplier: depthMultiplier),
        bias: usesBias ? site.path("bias") : nil, window: window,
        insets: window.insets(for: Size2D(input[0], input[1]))),
      shape: site.outputShape)
    return program.activate(result, activation, name: site.name)
  }
}

extension Conv2DTranspose: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let input = program.shapes[site.inputs[0]]
    let result = program.append(
      TransposedConvolutionOperation(
        name: site.name, input: site.inputs[0],
        kernel: .dense(site.path("kernel"), size: kernelSize, inputs: filters, outputs: input[2], groups: 1),
        bias: usesBias ? site.path("bias") : nil, window: window, insets: insets(for: Size2D(input[0], input[1]))),
      shape: site.outputShape)
    return program.activate(result, activation, name: site.name)
  }
}

extension SeparableConv2D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let input = program.shapes[site.inputs[0]]
    let channels = input[2] * depthMultiplier
    let shape: Shape = [site.outputShape[0], site.outputShape[1], channels]
    let between = program.append(
      ConvolutionOperation(
        name: site.name, input: site.inputs[0],
        kernel: .depthwise(
          site.path("depthwise_kernel"), size: kernelSize, channels: input[2], multiplier: depthMultiplier),
        bias: nil, window: depthwise.window, insets: depthwise.window.insets(for: Size2D(input[0], input[1]))),
      shape: shape)
    let result = program.append(
      ConvolutionOperation(
        name: site.name, input: between,
        kernel: .dense(
          site.path("pointwise_kernel"), size: Size2D(1), inputs: channels, outputs: filters, groups: 1),
        bias: usesBias ? site.path("bias") : nil, window: pointwise.window, insets: Insets2D()),
      shape: site.outputShape)
    return program.activate(result, activation, name: site.name)
  }
}

extension ConvolutionOperation.Kernel {
  /// Keras's `[KH, KW, inputs / groups, outputs]`; the outputs of a group lie together.
  static func dense(
    _ path: ParameterPath, size: Size2D, inputs: Int, outputs: Int, groups: Int
  ) -> ConvolutionOperation.Kernel {
    let (height, width, inner) = (size.height, size.width, inputs / groups)
    var dimensions = [outputs / groups, inner, height, width]
    var strides = [1, outputs, width * inner * outputs, inner * outputs]
    if groups > 1 {
      dimensions.insert(groups, at: 0)
      strides.insert(outputs / groups, at: 0)
    }
    return ConvolutionOperation.Kernel(
      path: path, dimensions: dimensions, strides: strides, rows: height * width * inner, columns: outputs)
  }

  /// Keras's `[KH, KW, channels, multiplier]`; every channel is a group.
  static func depthwise(
    _ path: ParameterPath, size: Size2D, channels: Int, multiplier: Int
  ) -> ConvolutionOperation.Kernel {
    let columns = channels * multiplier
    return ConvolutionOperation.Kernel(
      path: path, dimensions: [channels, multiplier, 1, size.height, size.width],
      strides: [multiplier, 1, 1, size.width * columns, columns], rows: size.height * size.width, columns: columns)
  }
}
