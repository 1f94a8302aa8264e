import Graphs

extension Rescaling: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    guard let scale = try options.numbers("scale") else { throw options.failure("lacks its scale") }
    self.init(scale: scale, offset: try options.numbers("offset") ?? [0])
  }

  func record() -> LayerRecord { LayerRecord(Self.kind, ["scale": scale.option, "offset": offset.option]) }
}

extension Normalization: KerasLayer {
  static func channelAxis(_ options: LayerOptions) throws(WeightError) -> Int? {
    // A missing axis means the default; null means that all axes share one mean.
    if options.values["axis"]?.isNull == true {
      throw options.failure(
        .unsupportedLayer, "normalises by one number over all axes; only the last axis is supported")
    }
    guard options["axis"] != nil else { return nil }
    let axes = try options.integers("axis")
    guard axes.count == 1 else {
      throw options.failure(.unsupportedLayer, "normalises over the axes \(axes); only the last axis is supported")
    }
    return axes[0]
  }

  init(_ options: LayerOptions) throws(WeightError) {
    try options.refuse("invert", unless: [false], reason: "which is not supported")
    guard let mean = try options.numbers("mean"), let variance = try options.numbers("variance") else {
      self.init()
      return
    }
    self.init(Statistics(mean: mean, variance: variance))
  }

  func record() -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "axis": [-1], "invert": false, "mean": statistics?.mean.option ?? .null,
        "variance": statistics?.variance.option ?? .null,
      ])
  }
}

extension [Float] {
  /// One number alone, several as a list.
  fileprivate var option: JSON { count == 1 ? JSON(self[0]) : .array(map { JSON($0) }) }
}
