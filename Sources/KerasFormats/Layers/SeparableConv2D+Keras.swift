import Graphs

extension SeparableConv2D: KerasLayer {
  static let kerasClasses = ["SeparableConv2D", "SeparableConvolution2D"]

  init(_ options: LayerOptions) throws(WeightError) {
    self.init(
      filters: try options.integer("filters"), kernelSize: try options.size("kernel_size"),
      strides: try options.size("strides", default: Size2D(1)), padding: try options.padding(),
      dilation: try options.size("dilation_rate", default: Size2D(1)),
      depthMultiplier: try options.integer("depth_multiplier", default: 1),
      usesBias: try options.flag("use_bias", default: true),
      activation: try ActivationFunction(options["activation"], of: options))
  }

  func record() throws(WeightError) -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "filters": .integer(filters), "kernel_size": kernelSize.option, "strides": strides.option,
        "padding": .string(padding.rawValue), "data_format": "channels_last", "dilation_rate": dilation.option,
        "depth_multiplier": .integer(depthMultiplier), "activation": try activation.kerasOption(),
        "use_bias": .bool(usesBias),
      ])
  }
}
