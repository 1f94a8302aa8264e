import Graphs

extension Conv2DTranspose: KerasLayer {
  static let kerasClasses = ["Conv2DTranspose", "Convolution2DTranspose", "Deconvolution2D"]

  init(_ options: LayerOptions) throws(WeightError) {
    try options.refuse("groups", unless: [1], reason: "which is not supported")
    self.init(
      filters: try options.integer("filters"), kernelSize: try options.size("kernel_size"),
      strides: try options.size("strides", default: Size2D(1)), padding: try options.padding(),
      outputPadding: options["output_padding"] == nil ? nil : try options.size("output_padding"),
      dilation: try options.size("dilation_rate", default: Size2D(1)),
      usesBias: try options.flag("use_bias", default: true),
      activation: try ActivationFunction(options["activation"], of: options))
  }

  func record() throws(WeightError) -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "filters": .integer(filters), "kernel_size": kernelSize.option, "strides": strides.option,
        "padding": .string(padding.rawValue), "data_format": "channels_last", "dilation_rate": dilation.option,
        "activation": try activation.kerasOption(), "use_bias": .bool(usesBias),
        "output_padding": outputPadding?.option ?? .null,
      ])
  }
}

extension Conv1DTranspose: KerasLayer {
  static let kerasClasses = ["Conv1DTranspose", "Convolution1DTranspose"]

  init(_ options: LayerOptions) throws(WeightError) {
    try options.refuse("groups", unless: [1], reason: "which is not supported")
    self.init(
      filters: try options.integer("filters"), kernelSize: try options.length("kernel_size"),
      stride: try options.length("strides", default: 1), padding: try options.padding(),
      outputPadding: options["output_padding"] == nil ? nil : try options.length("output_padding"),
      dilation: try options.length("dilation_rate", default: 1),
      usesBias: try options.flag("use_bias", default: true),
      activation: try ActivationFunction(options["activation"], of: options))
  }

  func record() throws(WeightError) -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "filters": .integer(filters), "kernel_size": [.integer(kernelSize)], "strides": [.integer(stride)],
        "padding": .string(padding.rawValue), "data_format": "channels_last", "dilation_rate": [.integer(dilation)],
        "activation": try activation.kerasOption(), "use_bias": .bool(usesBias),
        "output_padding": outputPadding.map { [.integer($0)] } ?? .null,
      ])
  }
}
