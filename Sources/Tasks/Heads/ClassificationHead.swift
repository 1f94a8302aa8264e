import Graphs

/// Mean over the image, dropout, and a dense layer with softmax: what turns a trunk into a classifier.
///
/// The layers of a task called `NAME` are `head_NAME_dropout` and `head_NAME_dense`; those of the default task leave the
/// name out. All heads share one pooling, `head_pool`. Characters that no Keras layer name may have become underscores.
public struct ClassificationHead: Hashable, Sendable {
  /// The share of features that are dropped while training, 0 ≤ rate < 1.
  public var dropoutRate: Float

  /// A head with the usual dropout.
  public init(dropoutRate: Float = 0.2) { self.dropoutRate = dropoutRate }
}

extension Graph {
  /// Puts a head for each task on one node of a trunk; the heads' probabilities become the outputs, in order of the tasks.
  ///
  /// An image is pooled once for all heads; a vector goes in as it is.
  ///
  /// - Throws: `GraphError` with code `unfitInput` where the node's output is neither an image nor a vector, or with
  ///   `duplicateName` where the trunk has layers of a head's names.
  public mutating func addHeads(
    for tasks: [TaskDescription], at node: Node.ID, like head: ClassificationHead = ClassificationHead()
  ) throws(GraphError) -> [Head] {
    precondition(nodes.indices.contains(node), "a head stands on a node of the graph")
    let shape = nodes[node].outputShape
    guard shape.rank == 1 || shape.rank == 3 else {
      throw GraphError(
        .unfitInput, subject: nodes[node].layer,
        detail: "a head takes an image [H, W, C] or a vector [C], but the output here is \(shape)")
    }
    var features = node
    if shape.rank == 3 { features = try apply(GlobalAveragePooling2D(), named: "head_pool", to: [node]) }
    var heads: [Head] = []
    outputs = []
    for (task, prefix) in zip(tasks, headPrefixes(for: tasks)) {
      let dropout = "\(prefix)_dropout"
      let dense = "\(prefix)_dense"
      let dropped = try apply(Dropout(rate: head.dropoutRate), named: dropout, to: [features])
      let layer = Dense(units: task.outputCount, activation: .softmax)
      outputs.append(try apply(layer, named: dense, to: [dropped]))
      heads.append(Head(task: task.name, layers: [dropout, dense], outputLayer: dense))
    }
    return heads
  }
}

/// A prefix for the layer names of each task, different for each.
private func headPrefixes(for tasks: [TaskDescription]) -> [String] {
  var taken: Set<String> = []
  return tasks.map { task in
    let safe = String(
      task.name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "_" })
    let first = task.name == TaskDescription.defaultName ? "head" : "head_\(safe)"
    var prefix = first
    var number = 2
    while !taken.insert(prefix).inserted {
      prefix = "\(first)_\(number)"
      number += 1
    }
    return prefix
  }
}
