import Graphs

extension Conv2D: KerasLayer {
  static let kerasClasses = ["Conv2D", "Convolution2D"]

  init(_ options: LayerOptions) throws(WeightError) {
    self.init(
      filters: try options.integer("filters"), kernelSize: try options.size("kernel_size"),
      strides: try options.size("strides", default: Size2D(1)), padding: try options.padding(),
      dilation: try options.size("dilation_rate", default: Size2D(1)),
      groups: try options.integer("groups", default: 1), usesBias: try options.flag("use_bias", default: true),
      activation: try ActivationFunction(options["activation"], of: options))
  }

  func record() throws(WeightError) -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "filters": .integer(filters), "kernel_size": kernelSize.option, "strides": strides.option,
        "padding": .string(padding.rawValue), "data_format": "channels_last", "dilation_rate": dilation.option,
        "groups": .integer(groups), "activation": try activation.kerasOption(), "use_bias": .bool(usesBias),
      ])
  }
}

extension Size2D {
  /// Height and width as Keras's list.
  var option: JSON { [.integer(height), .integer(width)] }
}
