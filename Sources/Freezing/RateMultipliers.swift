import Graphs

/// Discriminative rates: how fast each parameter trains beside the phase's rate.
///
/// Howard and Ruder, 2018. With `stageDecay` d, the last stage of the trunk trains at d times the rate, the one before at d², and so on down to the
/// input. With `layerDecay` d the same holds for blocks: a block is what lies between two places that everything passes, so
/// that a residual block is one, however many convolutions it has.
public struct RateMultipliers: Hashable, Sendable {
  /// What the rate of the heads is multiplied by.
  public var head: Double
  /// What each stage further down is multiplied by; nil for no difference between stages.
  public var stageDecay: Double?
  /// What each block further down is multiplied by; nil for no difference between blocks.
  public var layerDecay: Double?

  /// Multipliers; at most one of the two decays.
  public init(head: Double = 1, stageDecay: Double? = nil, layerDecay: Double? = nil) {
    self.head = head
    self.stageDecay = stageDecay
    self.layerDecay = layerDecay
  }

  /// What the rate of each parameter is multiplied by.
  ///
  /// A layer of the trunk that belongs to no stage counts with the stage before it.
  ///
  /// - Parameters:
  ///   - paths: The parameters that train.
  ///   - graph: The network with its heads.
  ///   - headLayers: The names of the heads' layers.
  public func factors(
    for paths: some Sequence<ParameterPath>, in graph: Graph, headLayers: Set<String>
  ) -> [ParameterPath: Double] {
    var depths: [String: Int] = [:]
    if stageDecay != nil { depths = graph.stageDepths(headLayers: headLayers) }
    if layerDecay != nil { depths = graph.blockDepths(headLayers: headLayers) }
    let decay = stageDecay ?? layerDecay ?? 1
    var result: [ParameterPath: Double] = [:]
    for path in paths {
      var factor = 1.0
      if headLayers.contains(path.layer) {
        factor = head
      } else {
        for _ in 0..<(depths[path.layer] ?? 0) { factor *= decay }
      }
      result[path] = factor
    }
    return result
  }

  /// Checks that all are factors, and that they do not contradict each other.
  func validate(in subject: String) throws(ScheduleError) {
    guard stageDecay == nil || layerDecay == nil else {
      throw ScheduleError(
        .invalidOption, subject: subject, detail: "multipliers must have stageDecay or layerDecay, but have both")
    }
    let factors = [("head", head, 1000.0), ("stageDecay", stageDecay ?? 1, 1), ("layerDecay", layerDecay ?? 1, 1)]
    for (name, value, most) in factors where !(value > 0 && value <= most) {
      throw ScheduleError(
        .invalidOption, subject: subject,
        detail: "\(name) must be more than 0 and at most \(Int(most)), but is \(value)")
    }
  }
}

extension RateMultipliers: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case head
    case stageDecay
    case layerDecay
  }

  /// Reads `{head: 1, stageDecay: 0.4}`.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self, in: "multipliers")
    self.init(
      head: try values.decode(.head, or: 1), stageDecay: try values.decodeIfPresent(Double.self, forKey: .stageDecay),
      layerDecay: try values.decodeIfPresent(Double.self, forKey: .layerDecay))
  }
}

extension Graph {
  /// How many stages further down than the heads each layer of the trunk stands: 1 in the last stage.
  fileprivate func stageDepths(headLayers: Set<String>) -> [String: Int] {
    let stages = trunkStages(headLayers: headLayers)
    var indices: [String: Int] = [:]
    for (index, stage) in stages.enumerated() { for layer in stage.layers { indices[layer] = index } }
    var result: [String: Int] = [:]
    var current = 0
    for layer in layerNames where !headLayers.contains(layer) {
      current = indices[layer] ?? current
      result[layer] = max(1, stages.count - current)
    }
    return result
  }

  /// How many blocks further down than the heads each layer of the trunk stands: 1 in the last block.
  fileprivate func blockDepths(headLayers: Set<String>) -> [String: Int] {
    let blocks = blockIndices(headLayers: headLayers)
    let last = blocks.values.max() ?? 0
    return blocks.mapValues { last - $0 + 1 }
  }

  /// The blocks of the trunk's layers, counted from the input.
  ///
  /// Everything passes a node where no connection leads from before it to behind it. What lies between two such nodes is a
  /// block if it has a kernel to train; otherwise it belongs to the block before it.
  private func blockIndices(headLayers: Set<String>) -> [String: Int] {
    var farthest = 0
    var result: [String: Int] = [:]
    var index = 0
    var hasKernel = false
    var open: [Int] = []
    let lastUses = lastUses()
    for (node, value) in nodes.enumerated() where !headLayers.contains(value.layer) {
      open.append(node)
      let isPassedByAll = farthest <= node
      farthest = max(farthest, lastUses[node])
      guard isPassedByAll else { continue }
      let bringsKernel = open.contains { hasTrainableKernel(nodes[$0].layer) }
      if bringsKernel, hasKernel { index += 1 }
      hasKernel = hasKernel || bringsKernel
      for node in open where result[nodes[node].layer] == nil { result[nodes[node].layer] = index }
      open = []
    }
    for node in open where result[nodes[node].layer] == nil { result[nodes[node].layer] = index }
    return result
  }

  /// For each node the last that it goes into.
  private func lastUses() -> [Int] {
    var result = [Int](repeating: 0, count: nodes.count)
    for (index, node) in nodes.enumerated() { for input in node.inputs { result[input] = index } }
    return result
  }

  private func hasTrainableKernel(_ layer: String) -> Bool {
    parameters(of: layer).contains { if case .kernel = $0.role { true } else { false } }
  }
}
