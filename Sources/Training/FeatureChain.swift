import Engine
import Graphs

/// The pipelines of all phases of a run, each fed by the frontier before its own.
///
/// A phase that freezes more than another goes on from that one's features. While the features of a phase are computed,
/// those of later phases that lie on the way are kept too.
@EngineActor
final class FeatureChain {
  private let graph: Graph
  private let frontiers: [Frontier]
  private let options: TrainingOptions
  private let root: FeaturePipeline
  private var pipelines: [[Graph.Node.ID]: FeaturePipeline] = [:]

  /// The chain for phases with the given frontiers in one network.
  init(
    _ graph: Graph, frontiers: [Frontier], parameters: ParameterBank, source: any PictureSource,
    options: TrainingOptions
  ) {
    self.graph = graph
    self.frontiers = frontiers
    self.options = options
    root = FeaturePipeline(source: source, parameters: parameters, chunkSize: options.frozenMicroBatchSize)
  }

  /// The pipeline of a phase.
  func pipeline(ofPhase phase: Int) throws(EngineError) -> FeaturePipeline { try pipeline(to: frontiers[phase]) }

  /// The pipelines that a phase's pictures pass and that later phases start from.
  func usefulLater(beforePhase phase: Int) throws(EngineError) -> [FeaturePipeline] {
    var result: [FeaturePipeline] = []
    for later in frontiers[phase...].dropFirst() {
      guard later.prefix != nil, later.crossing != frontiers[phase].crossing, isOnTheWay(later, to: frontiers[phase])
      else { continue }
      let pipeline = try pipeline(to: later)
      if !result.contains(where: { $0 === pipeline }) { result.append(pipeline) }
    }
    return result
  }

  /// Gives back what no phase after this one starts from.
  func forget(afterPhase phase: Int) {
    let later = frontiers[phase...].dropFirst()
    for (crossing, pipeline) in pipelines {
      let isNeeded = later.contains { frontier in
        frontier.crossing == crossing
          || frontiers.contains { $0.crossing == crossing && isOnTheWay($0, to: frontier) }
      }
      if !isNeeded { pipeline.forget() }
    }
  }

  private func pipeline(to frontier: Frontier) throws(EngineError) -> FeaturePipeline {
    guard frontier.prefix != nil else { return root }
    if let made = pipelines[frontier.crossing] { return made }
    let before = previous(of: frontier)
    let start = before?.crossing ?? graph.inputs
    var frozen = graph
    frozen.outputs = frontier.crossing
    let made = try FeaturePipeline(
      frozen.continuation(from: start),
      after: before.map { frontier throws(EngineError) in
        try pipeline(to: frontier)
      } ?? root,
      precision: options.precision.frozen)
    pipelines[frontier.crossing] = made
    return made
  }

  /// The last frontier on the way to another.
  private func previous(of frontier: Frontier) -> Frontier? {
    frontiers.filter { $0.prefix != nil && $0.crossing != frontier.crossing && isOnTheWay($0, to: frontier) }
      .max { $0.frozenNodes.count < $1.frozenNodes.count }
  }

  private func isOnTheWay(_ frontier: Frontier, to other: Frontier) -> Bool {
    frontier.frozenNodes.isSubset(of: other.frozenNodes)
  }
}
