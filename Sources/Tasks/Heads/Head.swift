/// The layers that answer one task on top of a trunk.
public struct Head: Hashable, Sendable, Codable {
  /// The name of the task.
  public var task: String
  /// The layers of this head alone, from trunk to output.
  public var layers: [String]
  /// The layer whose output is the answer: probabilities, with the softmax among its options or a layer of its own.
  public var outputLayer: String

  /// A head of the given layers.
  public init(task: String, layers: [String], outputLayer: String) {
    self.task = task
    self.layers = layers
    self.outputLayer = outputLayer
  }
}
