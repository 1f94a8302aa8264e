import Graphs

extension LayerOptions {
  /// A whole number, which may stand in a list of one.
  func length(_ key: String, default fallback: Int? = nil) throws(WeightError) -> Int {
    if let fallback, self[key] == nil { return fallback }
    let numbers = try integers(key)
    guard numbers.count == 1 else {
      throw failure("has \(numbers.count) numbers in its \(key) where one is expected")
    }
    return numbers[0]
  }

  /// What is added or cut at the ends of a sequence: one number, or two.
  func ends(_ key: String) throws(WeightError) -> (before: Int, after: Int) {
    let numbers = self[key] == nil ? [1] : try integers(key)
    guard numbers.count == 1 || numbers.count == 2 else {
      throw failure("has \(numbers.count) numbers in its \(key) where one or two are expected")
    }
    return (numbers[0], numbers[numbers.count - 1])
  }
}

extension Conv1D: KerasLayer {
  static let kerasClasses = ["Conv1D", "Convolution1D"]

  init(_ options: LayerOptions) throws(WeightError) {
    let word = try options.string("padding", default: "valid")
    guard let padding = Ends(rawValue: word.lowercased()) else {
      throw options.failure(.unsupportedLayer, "has padding \"\(word)\"; only valid, same and causal are known")
    }
    self.init(
      filters: try options.integer("filters"), kernelSize: try options.length("kernel_size"),
      stride: try options.length("strides", default: 1), padding: padding,
      dilation: try options.length("dilation_rate", default: 1), groups: try options.integer("groups", default: 1),
      usesBias: try options.flag("use_bias", default: true),
      activation: try ActivationFunction(options["activation"], of: options))
  }

  func record() throws(WeightError) -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "filters": .integer(filters), "kernel_size": [.integer(kernelSize)], "strides": [.integer(stride)],
        "padding": .string(padding.rawValue), "data_format": "channels_last", "dilation_rate": [.integer(dilation)],
        "groups": .integer(groups), "activation": try activation.kerasOption(), "use_bias": .bool(usesBias),
      ])
  }
}

extension DepthwiseConv1D: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(
      kernelSize: try options.length("kernel_size"), stride: try options.length("strides", default: 1),
      padding: try options.padding(), dilation: try options.length("dilation_rate", default: 1),
      depthMultiplier: try options.integer("depth_multiplier", default: 1),
      usesBias: try options.flag("use_bias", default: true),
      activation: try ActivationFunction(options["activation"], of: options))
  }

  func record() throws(WeightError) -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "kernel_size": [.integer(kernelSize)], "strides": [.integer(stride)], "padding": .string(padding.rawValue),
        "depth_multiplier": .integer(depthMultiplier), "data_format": "channels_last",
        "dilation_rate": [.integer(dilation)], "activation": try activation.kerasOption(), "use_bias": .bool(usesBias),
      ])
  }
}

extension SeparableConv1D: KerasLayer {
  static let kerasClasses = ["SeparableConv1D", "SeparableConvolution1D"]

  init(_ options: LayerOptions) throws(WeightError) {
    self.init(
      filters: try options.integer("filters"), kernelSize: try options.length("kernel_size"),
      stride: try options.length("strides", default: 1), padding: try options.padding(),
      dilation: try options.length("dilation_rate", default: 1),
      depthMultiplier: try options.integer("depth_multiplier", default: 1),
      usesBias: try options.flag("use_bias", default: true),
      activation: try ActivationFunction(options["activation"], of: options))
  }

  func record() throws(WeightError) -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "filters": .integer(filters), "kernel_size": [.integer(kernelSize)], "strides": [.integer(stride)],
        "padding": .string(padding.rawValue), "data_format": "channels_last", "dilation_rate": [.integer(dilation)],
        "depth_multiplier": .integer(depthMultiplier), "activation": try activation.kerasOption(),
        "use_bias": .bool(usesBias),
      ])
  }
}

extension MaxPooling1D: KerasLayer {
  static let kerasClasses = ["MaxPooling1D", "MaxPool1D"]

  init(_ options: LayerOptions) throws(WeightError) {
    let size = try options.length("pool_size", default: 2)
    self.init(poolSize: size, stride: try options.length("strides", default: size), padding: try options.padding())
  }

  func record() -> LayerRecord { LayerRecord(Self.kind, poolingOptions(poolSize, stride, padding)) }
}

extension AveragePooling1D: KerasLayer {
  static let kerasClasses = ["AveragePooling1D", "AvgPool1D"]

  init(_ options: LayerOptions) throws(WeightError) {
    let size = try options.length("pool_size", default: 2)
    self.init(poolSize: size, stride: try options.length("strides", default: size), padding: try options.padding())
  }

  func record() -> LayerRecord { LayerRecord(Self.kind, poolingOptions(poolSize, stride, padding)) }
}

private func poolingOptions(_ size: Int, _ stride: Int, _ padding: Padding) -> JSONObject {
  [
    "pool_size": [.integer(size)], "padding": .string(padding.rawValue), "strides": [.integer(stride)],
    "data_format": "channels_last",
  ]
}

extension GlobalAveragePooling1D: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(keepsAxes: try options.flag("keepdims", default: false))
  }

  func record() -> LayerRecord {
    LayerRecord(Self.kind, ["data_format": "channels_last", "keepdims": .bool(keepsAxes)])
  }
}

extension GlobalMaxPooling1D: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(keepsAxes: try options.flag("keepdims", default: false))
  }

  func record() -> LayerRecord {
    LayerRecord(Self.kind, ["data_format": "channels_last", "keepdims": .bool(keepsAxes)])
  }
}

extension ZeroPadding1D: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    let ends = try options.ends("padding")
    self.init(before: ends.before, after: ends.after)
  }

  func record() -> LayerRecord {
    LayerRecord(Self.kind, ["padding": [.integer(before), .integer(after)], "data_format": "channels_last"])
  }
}

extension Cropping1D: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    let ends = try options.ends("cropping")
    self.init(before: ends.before, after: ends.after)
  }

  func record() -> LayerRecord { LayerRecord(Self.kind, ["cropping": [.integer(before), .integer(after)]]) }
}

extension UpSampling1D: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) { self.init(size: try options.length("size", default: 2)) }

  func record() -> LayerRecord { LayerRecord(Self.kind, ["size": .integer(size)]) }
}
