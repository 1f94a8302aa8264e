import Graphs

extension BatchNormalization: KerasLayer {
  static let kerasClasses = [
    "BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization",
  ]

  static func channelAxis(_ options: LayerOptions) throws(WeightError) -> Int? {
    guard options["axis"] != nil else { return nil }
    let axes = try options.integers("axis")
    guard axes.count == 1 else {
      throw options.failure(.unsupportedLayer, "normalises over the axes \(axes); only the last axis is supported")
    }
    return axes[0]
  }

  init(_ options: LayerOptions) throws(WeightError) {
    try options.refuse("renorm", unless: [false], reason: "which is not supported")
    try options.refuse("virtual_batch_size", unless: [], reason: "which is not supported")
    self.init(
      momentum: try options.number("momentum", default: 0.99), epsilon: try options.number("epsilon", default: 1e-3),
      scales: try options.flag("scale", default: true), centers: try options.flag("center", default: true))
  }

  func record() -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "axis": -1, "momentum": JSON(momentum), "epsilon": JSON(epsilon), "center": .bool(centers),
        "scale": .bool(scales),
      ])
  }
}
