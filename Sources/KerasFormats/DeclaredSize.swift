import Graphs
import Tensors

/// The size of the output that a transposed convolution of Keras 1 declares.
///
/// With strides above 1 several sizes shrink to that of the input when they are convolved, so Keras 1 had its users say
/// which one is meant; later versions have rules of their own. What these rules do not give is said as a convolution with
/// all its borders, behind which the rows and columns that were not declared are cut off.
enum DeclaredSize {
  /// Height and width of `output_shape`, nil where the layer does not say it.
  ///
  /// - Throws: ``WeightError`` with `invalidArchitecture` where it is no shape of images with so many channels.
  static func read(
    _ options: LayerOptions, filters: Int, isChannelsFirst: Bool
  ) throws(WeightError) -> Size2D? {
    guard let value = options["output_shape"] else { return nil }
    // The batch comes first and does not matter.
    let extents = (value.array ?? []).dropFirst().map(\.integer)
    guard extents.count == 3, let rows = extents[isChannelsFirst ? 1 : 0],
      let columns = extents[isChannelsFirst ? 2 : 1],
      (1...1 << 16).contains(rows), (1...1 << 16).contains(columns)
    else { throw options.failure("has an output_shape that is not the shape of a batch of images") }
    let channels = extents[isChannelsFirst ? 0 : 2]
    guard channels == nil || channels == filters else {
      throw options.failure("declares an output of \(channels ?? 0) channels, but has \(filters) filters")
    }
    return Size2D(rows, columns)
  }

  /// The layer that puts out the declared size, and what is cut off behind it; nil where nothing is.
  ///
  /// - Parameters:
  ///   - value: The layer as its other options say.
  ///   - input: The size of the images that it takes.
  ///   - isTheano: Whether the network was trained on Theano.
  /// - Throws: ``WeightError`` with `invalidArchitecture` where the other options give no such size, `unsupportedLayer`
  ///   for what Keras 1 itself got wrong.
  static func fit(
    _ value: Conv2DTranspose, to declared: Size2D, input: Size2D, isTheano: Bool, of layer: LayerDescription
  ) throws(WeightError) -> (value: Conv2DTranspose, cropping: Cropping2D?) {
    let object = "layer \(layer.path)"
    if isTheano, value.padding == .same, value.kernelSize.height % 2 == 0 || value.kernelSize.width % 2 == 0 {
      throw WeightError(
        .unsupportedLayer, object: object,
        detail: "has padding \"same\" and a kernel of \(value.kernelSize), where Keras 1 on Theano did not keep to the "
          + "declared size; only odd kernels are supported there")
    }
    // Options that make no sense are refused in the layer's own words.
    if value.window.defect != nil { return (value, nil) }
    let rows = Axis(
      input: input.height, size: value.kernelSize.height, stride: value.strides.height, padding: value.padding,
      isTheano: isTheano)
    let columns = Axis(
      input: input.width, size: value.kernelSize.width, stride: value.strides.width, padding: value.padding,
      isTheano: isTheano)
    guard rows.range.contains(declared.height), columns.range.contains(declared.width) else {
      let least = Size2D(rows.range.lowerBound, columns.range.lowerBound)
      let most = Size2D(rows.range.upperBound, columns.range.upperBound)
      throw WeightError(
        .invalidArchitecture, object: object,
        detail: "declares an output of \(declared), but its other options make "
          + (least == most ? "\(least)" : "\(least) to \(most)") + " of an input of \(input)")
    }
    let before = Size2D(rows.before(declared.height), columns.before(declared.width))
    let insets = value.insets(for: input)
    if let own = try? value.outputShape(for: [[input.height, input.width, 1]]),
      Size2D(own[0], own[1]) == declared, Size2D(insets.top, insets.left) == before
    {
      return (value, nil)
    }
    // Behind the last window follow rows that no window reaches, fewer than a stride.
    let whole = Size2D(rows.whole, columns.whole)
    let behind = Size2D(
      whole.height - before.height - declared.height, whole.width - before.width - declared.width)
    var result = value
    result.padding = .valid
    result.outputPadding = Size2D(max(0, -behind.height), max(0, -behind.width))
    let cropping = Insets2D(
      top: before.height, bottom: max(0, behind.height), left: before.width, right: max(0, behind.width))
    return (result, cropping == Insets2D() ? nil : Cropping2D(cropping: cropping))
  }

  /// One axis of a transposed convolution.
  private struct Axis {
    let input: Int
    let size: Int
    let stride: Int
    let padding: Padding
    let isTheano: Bool

    /// All places that a window reaches.
    var whole: Int { (input - 1) * stride + size }

    /// The sizes that a convolution brings to that of the input.
    var range: ClosedRange<Int> {
      let least =
        switch (padding, isTheano) {
        case (.valid, _): whole
        case (.same, false): (input - 1) * stride + 1
        case (.same, true): whole - 2 * (size / 2)
        }
      return max(1, least)...max(1, least + stride - 1)
    }

    /// How many places lie before the output.
    func before(_ declared: Int) -> Int {
      switch (padding, isTheano) {
      case (.valid, _): 0
      case (.same, false): max(0, whole - declared) / 2
      case (.same, true): size / 2
      }
    }
  }
}
