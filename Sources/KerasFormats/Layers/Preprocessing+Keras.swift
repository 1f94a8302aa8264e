import Graphs

extension Rescaling: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    guard let scale = try options.numbers("scale") else { throw options.failure("lacks its scale") }
    self.init(scale: scale, offset: try options.numbers("offset") ?? [0])
  }

  func record() -> LayerRecord { LayerRecord(Self.kind, ["scale": scale.option, "offset": offset.option]) }
}

extension Normalization: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    // A missing axis means the default; null means that all axes share one mean.
    let isShared = options.values["axis"]?.isNull == true
    let axes = isShared ? [] : try options.sampleAxes("axis", default: [-1])
    let inverts = try options.flag("invert", default: false)
    guard let mean = try options.numbers("mean"), let variance = try options.numbers("variance") else {
      self.init(axes: axes, inverts: inverts)
      return
    }
    self.init(Statistics(mean: mean, variance: variance), axes: axes, inverts: inverts)
  }

  func canonical(rank: Int) -> any KerasLayer {
    var result = self
    if axes == [rank - 1] { result.axes = [-1] }
    return result
  }

  func record() -> LayerRecord {
    LayerRecord(
      Self.kind,
      [
        "axis": axes.isEmpty ? .null : axes.batchAxesOption, "invert": .bool(inverts),
        "mean": statistics?.mean.option ?? .null,
        "variance": statistics?.variance.option ?? .null,
      ])
  }
}

extension [Float] {
  /// One number alone, several as a list.
  fileprivate var option: JSON { count == 1 ? JSON(self[0]) : .array(map { JSON($0) }) }
}
