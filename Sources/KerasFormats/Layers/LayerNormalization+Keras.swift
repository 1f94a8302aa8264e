import Graphs

extension LayerNormalization: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(
      axes: try options.sampleAxes("axis", default: [-1]), epsilon: try options.number("epsilon", default: 1e-3),
      scales: try options.flag("scale", default: true), centers: try options.flag("center", default: true),
      usesRMSScaling: try options.flag("rms_scaling", default: false))
  }

  func record() -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "axis": axes.batchAxesOption, "epsilon": JSON(epsilon), "center": .bool(centers), "scale": .bool(scales),
        "rms_scaling": .bool(usesRMSScaling),
      ])
  }
}

extension LayerOptions {
  /// Axes of one sample, counted from 0; Keras counts the batch as axis 0, and from the last by negative numbers.
  func sampleAxes(_ key: String, default fallback: [Int]) throws(WeightError) -> [Int] {
    guard self[key] != nil else { return fallback }
    var axes: [Int] = []
    for axis in try integers(key) {
      guard axis != 0 else { throw failure(.unsupportedLayer, "works along the batch, which mixes samples") }
      axes.append(axis > 0 ? axis - 1 : axis)
    }
    return axes
  }
}

extension [Int] {
  /// Axes of one sample as Keras counts them, with the batch before them.
  var batchAxes: [Int] { map { $0 >= 0 ? $0 + 1 : $0 } }

  /// Axes of one sample as Keras's list.
  var batchAxesOption: JSON { .array(batchAxes.map { .integer($0) }) }
}
