import Graphs

extension LayerScale: KerasLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    self.init(
      channels: try options.integer("projection_dim"), initialValue: try options.number("init_values", default: 1e-6))
  }

  func record() -> LayerRecord {
    LayerRecord(
      Self.kind, ["init_values": JSON(initialValue), "projection_dim": .integer(channels)],
      module: "keras.src.applications.convnext")
  }
}
