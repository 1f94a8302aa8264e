import Graphs

extension Softmax: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(axes: try options.sampleAxes("axis", default: [-1]))
  }

  func turned(rank: Int) -> (any KerasLayer)? { Softmax(axes: axes.map { $0.turned(rank: rank) }) }

  func canonical(rank: Int) -> any KerasLayer {
    axes == [-1] || axes == [rank - 1] ? Activation(.softmax) : self
  }

  func record() -> LayerRecord {
    let axes = axes.batchAxes
    return LayerRecord(Self.kind, ["axis": axes.count == 1 ? .integer(axes[0]) : .array(axes.map { .integer($0) })])
  }
}

extension PReLU: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(sharedAxes: try options.sampleAxes("shared_axes", default: []))
  }

  func record() -> LayerRecord {
    LayerRecord(Self.kind, ["shared_axes": sharedAxes.isEmpty ? .null : sharedAxes.batchAxesOption])
  }
}
