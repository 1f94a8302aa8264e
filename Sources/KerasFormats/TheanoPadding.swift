import Graphs

/// How convolutions keep the extents of an image on Theano.
///
/// With strides or kernels of an even extent, `same` means other rows and columns there than on TensorFlow: half of the
/// kernel is always put before the image. It is said as a layer that pads, and a convolution that does not.
enum TheanoPadding {
  /// The padding that stands before a layer, and the layer without it; nil where both backends mean the same.
  ///
  /// - Throws: ``WeightError`` with `unsupportedLayer` for pooling, which leaves the border out of its windows.
  static func split(
    _ value: any KerasLayer, of layer: LayerDescription
  ) throws(WeightError) -> (padding: ZeroPadding2D, value: any KerasLayer)? {
    switch value {
    case var convolution as Conv2D where convolution.padding == .same:
      let (size, dilation) = (convolution.kernelSize, convolution.dilation)
      let height = (size.height - 1) * dilation.height + 1
      let width = (size.width - 1) * dilation.width + 1
      if convolution.strides == Size2D(1), !height.isMultiple(of: 2), !width.isMultiple(of: 2) { return nil }
      convolution.padding = .valid
      let insets = Insets2D(
        top: height / 2, bottom: (height - 1) / 2, left: width / 2, right: (width - 1) / 2)
      return (ZeroPadding2D(padding: insets), convolution)
    case let pooling as MaxPooling2D where pooling.padding == .same: throw refusal(layer)
    case let pooling as AveragePooling2D where pooling.padding == .same: throw refusal(layer)
    default: return nil
    }
  }

  private static func refusal(_ layer: LayerDescription) -> WeightError {
    WeightError(
      .unsupportedLayer, object: "layer \(layer.path)",
      detail: "pools with padding \"same\" as Theano did, which no later Keras can; only valid is supported there")
  }
}
