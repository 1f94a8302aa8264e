import Graphs

extension GroupNormalization: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    let axes = try options.sampleAxes("axis", default: [-1])
    guard axes.count == 1 else {
      throw options.failure(.unsupportedLayer, "normalises over several axes; only one is supported")
    }
    self.init(
      groups: try options.integer("groups", default: 32), axis: axes[0],
      epsilon: try options.number("epsilon", default: 1e-3), scales: try options.flag("scale", default: true),
      centers: try options.flag("center", default: true))
  }

  func turned(rank: Int) -> (any KerasLayer)? {
    var result = self
    result.axis = axis.turned(rank: rank)
    return result
  }

  func record() -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "groups": .integer(groups), "axis": .integer([axis].batchAxes[0]), "epsilon": JSON(epsilon),
        "center": .bool(centers), "scale": .bool(scales),
      ])
  }
}

extension UnitNormalization: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(axes: try options.sampleAxes("axis", default: [-1]))
  }

  func record() -> LayerRecord { LayerRecord(Self.kind, ["axis": axes.batchAxesOption]) }
}

extension RMSNormalization: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(
      axes: try options.sampleAxes("axis", default: [-1]), epsilon: try options.number("epsilon", default: 1e-6))
  }

  func record() -> LayerRecord {
    LayerRecord(Self.kind, ["axis": axes.batchAxesOption, "epsilon": JSON(epsilon)])
  }
}
