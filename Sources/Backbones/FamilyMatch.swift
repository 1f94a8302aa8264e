import Graphs
import Tensors

/// A family that a network was recognised as, with what speaks for it.
public struct FamilyMatch: Sendable {
  /// The family.
  public let family: BackboneFamily
  /// Why, in one clause: `its 53 layers with weights have this family's names and shapes`.
  public let evidence: String
  /// The family's stages, each with its last layer as it is called in the network.
  public let stageEnds: [(name: String, lastLayer: String)]
}

extension BackboneFamily {
  /// The family whose trunk a network contains; nil for an unknown one.
  public static func recognized(in graph: Graph) -> BackboneFamily? { match(in: graph)?.family }

  /// The family whose trunk a network contains, and how that was seen; nil for an unknown one.
  ///
  /// Names come first: a family is looked at closer only where the last layer of each of its stages is there. A network
  /// with other names, because Keras has numbered its layers on or somebody has renamed them, is compared with the
  /// families of its size: the same kinds of layers with weights of the same shapes, in Keras's order.
  public static func match(in graph: Graph) -> FamilyMatch? {
    guard let input = graph.inputs.first, graph.inputs.count == 1, graph.nodes[input].outputShape.rank == 3 else {
      return nil
    }
    let named = (all + unusualWidths(in: graph)).filter { family in
      family.stageEnds.allSatisfy { graph[layer: $0.lastLayer] != nil }
    }
    for family in named { if let match = family.matchByNames(graph) { return match } }
    let order = Skeleton(graph)
    let sizes = Set(order.parameterCounts)
    let missing = graph.nodes[input].outputShape[2] == 1 ? graph.missingForColour : 0
    for family in all where family.parameterCounts.map({ sizes.contains($0.trunk - missing) }) ?? false {
      if let match = family.matchByShapes(graph, order) { return match }
    }
    return nil
  }

  /// The trunk that a network would contain: as large as its pictures, where the family takes such.
  private func trunk(like graph: Graph) -> Graph? {
    let shape = graph.nodes[graph.inputs[0]].outputShape
    let size = Size2D(shape[0], shape[1])
    let fits = size.height >= minimumSize.height && size.width >= minimumSize.width
    return try? self.graph(size: fits ? size : nil, channels: shape[2])
  }

  private func matchByNames(_ graph: Graph) -> FamilyMatch? {
    guard let own = trunk(like: graph), let last = stageEnds.last, let end = graph.firstNode(of: last.lastLayer) else {
      return nil
    }
    let before = graph.cut(at: [end])
    var layerCount = 0
    for name in own.layerNames {
      let expected = own.parameters(of: name)
      if expected.isEmpty { continue }
      // What only a network without a classifier has at its end stands behind the last stage.
      guard graph[layer: name] != nil || before[layer: name] != nil else {
        if own.isBehind(last.lastLayer, name) { continue }
        return nil
      }
      guard graph.parameters(of: name) == expected else { return nil }
      layerCount += 1
    }
    // A deeper member of the family has all these layers too.
    guard before.layerNames.allSatisfy({ before.parameters(of: $0).isEmpty || own[layer: $0] != nil }) else {
      return nil
    }
    return FamilyMatch(
      family: self, evidence: "its \(layerCount) layers with weights have this family's names and shapes",
      stageEnds: stageEnds)
  }

  private func matchByShapes(_ graph: Graph, _ order: Skeleton) -> FamilyMatch? {
    guard let own = trunk(like: graph) else { return nil }
    let ownOrder = Skeleton(own)
    guard order.weighted.count >= ownOrder.weighted.count,
      zip(order.weighted, ownOrder.weighted).allSatisfy({ $0.shapes == $1.shapes })
    else { return nil }
    var names: [String: String] = [:]
    let hasSameLayers =
      order.all.count >= ownOrder.all.count && zip(order.all, ownOrder.all).allSatisfy { $0.kind == $1.kind }
    if hasSameLayers {
      for (found, expected) in zip(order.all, ownOrder.all) { names[expected.name] = found.name }
    }
    let ends = stageEnds.compactMap { end in names[end.lastLayer].map { (name: end.name, lastLayer: $0) } }
    return FamilyMatch(
      family: self,
      evidence: "its first \(ownOrder.weighted.count) layers with weights have this family's shapes in its order, "
        + "under other names",
      stageEnds: ends.count == stageEnds.count ? ends : [])
  }

  /// Families of a width that nobody has published, guessed from the channels at both ends of a network.
  private static func unusualWidths(in graph: Graph) -> [BackboneFamily] {
    func outputChannels(_ layer: String) -> Double? {
      graph.firstNode(of: layer).map { Double(graph.nodes[$0].outputShape[-1]) }
    }
    func hundredths(_ range: ClosedRange<Int>, where fits: (Double) -> Bool) -> [Double] {
      range.map { Double($0) / 100 }.filter { widthRange.contains($0) && fits($0) }
    }
    var families: [BackboneFamily] = []
    if let last = outputChannels("conv_pw_13"), let first = outputChannels("conv1"), graph[layer: "conv1_bn"] != nil {
      let around = Int(last / 1024 * 100)
      families += hundredths(max(around - 1, 1)...around + 2) { alpha in
        Double(Int(1024 * alpha)) == last && Double(Int(32 * alpha)) == first
      }.map(mobileNet)
    }
    if let last = outputChannels("block_16_project"), let first = outputChannels("Conv1") {
      let around = Int(last / 320 * 100)
      families += hundredths(max(around - 8, 1)...around + 8) { alpha in
        Double(roundedChannels(Double(Int(320 * alpha)))) == last && Double(roundedChannels(32 * alpha)) == first
      }.map(mobileNetV2)
    }
    return families.filter { family in !all.contains { $0.name == family.name } }
  }
}

/// What remains of a network when names are forgotten: its layers in Keras's order.
private struct Skeleton {
  struct Bone {
    var name: String
    var kind: String
    var shapes: [Shape]
  }

  /// Every layer but inputs and those that inference does not see or that only prepare pictures.
  var all: [Bone] = []

  /// The layers with parameters.
  var weighted: [Bone] { all.filter { !$0.shapes.isEmpty } }

  /// How many numbers all layers up to each one hold.
  var parameterCounts: [Int] {
    var sum = 0
    return weighted.map { bone in
      sum += bone.shapes.reduce(0) { $0 + $1.elementCount }
      return sum
    }
  }

  init(_ graph: Graph) {
    var met: Set<String> = []
    for node in graph.nodesInKerasOrder where met.insert(graph.nodes[node].layer).inserted {
      let layer = graph.layer(of: node)
      let name = graph.nodes[node].layer
      let shapes = graph.parameters(of: name).map(\.shape)
      switch layer {
      case is Input, is Dropout, is Identity: continue
      case let slicing as Slicing where slicing.reversesChannels(of: graph.inputShapes(of: node)[0]): continue
      case is Rescaling, is Normalization: if shapes.isEmpty { continue }
      case let activation as Activation where activation.function == .linear: continue
      default: break
      }
      all.append(Bone(name: name, kind: type(of: layer).kind, shapes: shapes))
    }
  }
}

extension Graph {
  /// Whether a layer stands behind another in the list of layers.
  fileprivate func isBehind(_ end: String, _ name: String) -> Bool {
    guard let first = layerNames.firstIndex(of: end), let second = layerNames.firstIndex(of: name) else { return false }
    return second > first
  }

  /// How many numbers a network for grey pictures lacks beside the same for colour.
  fileprivate var missingForColour: Int {
    for name in layerNames {
      if let kernel = parameters(of: name).first(where: { $0.shape.rank == 4 }) { return 2 * kernel.shape.elementCount }
    }
    return 0
  }
}
