import Graphs

extension BatchNormalization: KerasLayer {
  static let kerasClasses = [
    "BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization",
  ]

  init(_ options: LayerOptions) throws(WeightError) {
    try options.refuse("renorm", unless: [false], reason: "which is not supported")
    try options.refuse("virtual_batch_size", unless: [], reason: "which is not supported")
    let axes = try options.sampleAxes("axis", default: [-1])
    guard axes.count == 1 else {
      throw options.failure(.unsupportedLayer, "normalises over several axes; only one is supported")
    }
    self.init(
      axis: axes[0], momentum: try options.number("momentum", default: 0.99),
      epsilon: try options.number("epsilon", default: 1e-3),
      scales: try options.flag("scale", default: true), centers: try options.flag("center", default: true))
  }

  func turned(rank: Int) -> (any KerasLayer)? {
    var result = self
    result.axis = axis.turned(rank: rank)
    return result
  }

  func canonical(rank: Int) -> any KerasLayer {
    var result = self
    if axis == rank - 1 { result.axis = -1 }
    return result
  }

  func record() -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "axis": .integer([axis].batchAxes[0]), "momentum": JSON(momentum), "epsilon": JSON(epsilon),
        "center": .bool(centers),
        "scale": .bool(scales),
      ])
  }
}
