import Engine
import Graphs

/// The pipelines of all phases of a run, each fed by the frontier before its own.
///
/// A phase that freezes more than another goes on from that one's features. While the features of a phase are computed,
/// those of later phases that lie on the way are kept too.
///
/// Through which pipelines a picture passes decides the last bits of its features. So it must not depend on what a run
/// did before it was stopped: the pipelines of frontiers that are known from the beginning are fed by each other alone,
/// and a phase that finds its frontier later, or moves it, has pipelines of its own behind them.
@EngineActor
final class FeatureChain {
  private let graph: Graph
  /// The frontier of each phase, where it is known from the beginning.
  private let frontiers: [Frontier?]
  /// The one among them that is on the way to all others: nothing before it changes in any phase.
  private let first: Frontier?
  private let options: TrainingOptions
  private let root: FeaturePipeline
  private var pipelines: [[Graph.Node.ID]: FeaturePipeline] = [:]
  /// The pipelines of the present phase alone, in the order in which it made them.
  private var own: [(frontier: Frontier, pipeline: FeaturePipeline)] = []

  /// The chain for phases with the given frontiers in one network.
  init(
    _ graph: Graph, frontiers: [Frontier?], parameters: ParameterBank, source: any PictureSource,
    options: TrainingOptions
  ) {
    self.graph = graph
    self.frontiers = frontiers
    self.options = options
    first = Self.first(of: frontiers)
    root = FeaturePipeline(source: source, parameters: parameters, chunkSize: options.frozenMicroBatchSize)
  }

  /// The pipeline of the present phase to the frontier that it has come to.
  func pipeline(to frontier: Frontier) throws(EngineError) -> FeaturePipeline {
    if frontiers.contains(where: { $0?.crossing == frontier.crossing }) || frontier.prefix == nil {
      return try shared(to: frontier)
    }
    if let made = own.first(where: { $0.frontier.crossing == frontier.crossing }) { return made.pipeline }
    let made = try make(to: frontier, after: previous(of: frontier, among: known + own.map(\.frontier)))
    own.append((frontier, made))
    return made
  }

  /// Measures the whole network with weights of any phase, from what the run never changes on.
  func evaluator(parameters: ParameterBank, labels: LabelTable) throws(EngineError) -> Evaluator {
    // A finished model computes in single precision.
    guard options.precision == .f32, let first, first.prefix != nil else {
      return try Evaluator(
        graph: graph, parameters: parameters, pictures: root.pictures, labels: labels, batchSize: root.chunkSize)
    }
    let plan = try Plan(
      first.suffix, parameters: parameters, options: PlanOptions(batchSize: root.chunkSize))
    return Evaluator(pipeline: try shared(to: first), plan: plan, labels: labels)
  }

  /// The pictures themselves.
  var pictures: FeaturePipeline { root }

  /// The pipelines that the pictures of a phase pass and that later phases start from.
  func usefulLater(at frontier: Frontier, ofPhase phase: Int) throws(EngineError) -> [FeaturePipeline] {
    var result: [FeaturePipeline] = []
    for later in frontiers[phase...].dropFirst().compactMap({ $0 }) {
      guard later.prefix != nil, later.crossing != frontier.crossing, isOnTheWay(later, to: frontier) else { continue }
      let pipeline = try shared(to: later)
      if !result.contains(where: { $0 === pipeline }) { result.append(pipeline) }
    }
    return result
  }

  /// The bytes of features that a pipeline may keep in memory, beside what all others keep there.
  func memoryBudget(for pipeline: FeaturePipeline) -> Int {
    dropStale()
    let others = all.filter { $0 !== pipeline }
    return max(0, others.reduce(options.featureMemoryBudget) { $0 - $1.memoryByteCount })
  }

  /// Gives back what was computed with other values of the parameters.
  func dropStale() { for pipeline in all { pipeline.dropStale() } }

  /// Gives back what neither a frontier of the present phase nor a later phase nor the last measurement starts from.
  ///
  /// - Parameter frontier: The frontier that the phase goes on from; nil where it has ended.
  func forget(but frontier: Frontier?, ofPhase phase: Int) {
    for (place, pipeline) in own where place.crossing != frontier?.crossing { pipeline.forget() }
    if frontier == nil { own = [] }
    let next = frontiers[phase...].dropFirst()
    // For a phase with a frozen part they are decoded again; one whose stages are still to be chosen may have none.
    let takesPictures = next.contains { $0?.prefix == nil } || (frontier.map { $0.prefix == nil } ?? false)
    if !takesPictures { root.forget() }
    let later = next.compactMap { $0 } + [frontier, first].compactMap(\.self)
    for (crossing, pipeline) in pipelines {
      let isNeeded = later.contains { frontier in
        frontier.crossing == crossing
          || known.contains { $0.crossing == crossing && isOnTheWay($0, to: frontier) }
      }
      if !isNeeded { pipeline.forget() }
    }
  }

  private var all: [FeaturePipeline] { [root] + Array(pipelines.values) + own.map { $0.pipeline } }

  private var known: [Frontier] { frontiers.compactMap { $0 } }

  private func shared(to frontier: Frontier) throws(EngineError) -> FeaturePipeline {
    guard frontier.prefix != nil else { return root }
    if let made = pipelines[frontier.crossing] { return made }
    let made = try make(to: frontier, after: previous(of: frontier, among: known))
    pipelines[frontier.crossing] = made
    return made
  }

  private func make(to frontier: Frontier, after before: Frontier?) throws(EngineError) -> FeaturePipeline {
    var frozen = graph
    frozen.outputs = frontier.crossing
    let upstream = try before.map { before throws(EngineError) in try pipeline(to: before) } ?? root
    return try FeaturePipeline(
      frozen.continuation(from: before?.crossing ?? graph.inputs), after: upstream, precision: options.precision.frozen)
  }

  /// The last of some frontiers on the way to another.
  private func previous(of frontier: Frontier, among frontiers: [Frontier]) -> Frontier? {
    frontiers.filter { $0.prefix != nil && $0.crossing != frontier.crossing && isOnTheWay($0, to: frontier) }
      .max { $0.frozenNodes.count < $1.frozenNodes.count }
  }

  private static func first(of frontiers: [Frontier?]) -> Frontier? {
    let known = frontiers.compactMap(\.self)
    guard known.count == frontiers.count else { return nil }
    return known.first { one in known.allSatisfy { one.frozenNodes.isSubset(of: $0.frozenNodes) } }
  }

  private func isOnTheWay(_ frontier: Frontier, to other: Frontier) -> Bool {
    frontier.frozenNodes.isSubset(of: other.frozenNodes)
  }
}
