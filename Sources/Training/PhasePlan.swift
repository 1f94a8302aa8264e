import Engine
import Freezing
import Graphs
import Tasks

/// What a phase means for one network: what trains, where the frontier is, and in what portions samples go through.
struct PhasePlan: Sendable {
  /// The parameters that train.
  let trainable: Set<ParameterPath>
  /// The layers that behave as while training: dropout that has something trainable before it or belongs to a head that
  /// trains, and batch normalisation where the phase wants the statistics of the batch.
  let trainingLayers: Set<String>
  /// The statistics that move in this phase.
  let movingStatistics: Set<ParameterPath>
  /// The frozen part and the rest.
  let frontier: Frontier
  /// How many samples go through what trains at once.
  private(set) var microBatchSize: Int
  /// How many numbers train.
  let trainableCount: Int

  /// What a phase means while some parameters train.
  ///
  /// - Parameters:
  ///   - graph: The network that ends in logits.
  ///   - trainable: The parameters that train, which may be fewer than the phase began with.
  ///   - microBatchSize: Overrules the estimate.
  init(
    _ phase: Phase, trainable: Set<ParameterPath>, graph: Graph, heads: [Head], batchSize: Int,
    microBatchSize: Int? = nil
  ) {
    self.trainable = trainable
    trainableCount = graph.parameters.reduce(0) {
      trainable.contains($1.path) ? $0 + $1.parameter.shape.elementCount : $0
    }
    let trainableLayers = Set(trainable.map(\.layer))
    var layers = PhasePlan.droppingLayers(in: graph, trainableLayers: trainableLayers)
    for head in heads where !trainableLayers.isDisjoint(with: head.layers) {
      layers.formUnion(head.layers.filter { graph[layer: $0]?.isRandomInTraining == true })
    }
    var statistics: Set<ParameterPath> = []
    if phase.batchNormalization == .trainingStatistics {
      for name in trainableLayers where graph[layer: name] is BatchNormalization {
        layers.insert(name)
        for parameter in graph.parameters(of: name) where !parameter.isTrainable {
          statistics.insert(ParameterPath(name, parameter.name))
        }
      }
    }
    trainingLayers = layers
    movingStatistics = statistics
    frontier = Frontier(
      graph, trainable: trainable, trainingLayers: layers,
      usesBatchStatistics: phase.batchNormalization == .trainingStatistics)
    if !statistics.isEmpty {
      // The samples of a batch know each other by their statistics: it cannot be cut.
      self.microBatchSize = batchSize
    } else {
      let wanted = microBatchSize ?? PhasePlan.fittingMicroBatchSize(of: frontier.suffix, batchSize: batchSize)
      self.microBatchSize = max(1, min(batchSize, wanted))
    }
  }

  /// Everything that may change in this phase.
  var changing: Set<ParameterPath> { trainable.union(movingStatistics) }

  /// Makes the parts of a batch smaller until what a step keeps fits into a budget, where a batch may be cut.
  ///
  /// - Parameter graph: The whole network, which measures stages where they are still to be chosen.
  /// - Throws: `EngineError` with code `memory` where even some activations computed twice would not fit.
  @EngineActor mutating func fit(
    into byteCount: Int, phase: Phase, in graph: Graph, parameters: ParameterBank, options: TrainingOptions
  ) throws(EngineError) {
    while try Plan.byteCount(of: frontier.suffix, parameters: parameters, options: self.options(phase, options))
      > byteCount
    {
      guard microBatchSize > 1, movingStatistics.isEmpty else {
        // Fewer stages train than could be chosen: of those nothing is known but that they are measured.
        guard !phase.isOpen else { break }
        return try checkMemory(
          byteCount, phase: phase, of: frontier.suffix, parameters: parameters, options: self.options(phase, options))
      }
      microBatchSize = (microBatchSize + 1) / 2
    }
    guard phase.isOpen else { return }
    try checkMemory(
      byteCount, phase: phase, of: graph, parameters: parameters, options: measuringOptions(phase, options))
  }

  /// Makes sure that a plan of a phase can be compiled within a budget.
  @EngineActor private func checkMemory(
    _ byteCount: Int, phase: Phase, of graph: Graph, parameters: ParameterBank, options: PlanOptions
  ) throws(EngineError) {
    var options = options
    options.memoryBudget = byteCount
    do throws(EngineError) {
      try Plan.checkMemory(of: graph, parameters: parameters, options: options)
    } catch {
      guard error.code == .memory else { throw error }
      throw EngineError(.memory, subject: "phase \(phase.name)", detail: error.detail)
    }
  }

  /// How the plan of what trains is compiled, without a bound on its memory.
  func options(_ phase: Phase, _ options: TrainingOptions) -> PlanOptions {
    PlanOptions(
      batchSize: microBatchSize, trainable: trainable, trainingLayers: trainingLayers,
      batchNormalization: phase.batchNormalization.forPlans, precision: options.precision.trained, seed: options.seed)
  }

  /// The same for the plan that measures the gradients of stages, before any is chosen.
  func measuringOptions(_ phase: Phase, _ options: TrainingOptions) -> PlanOptions {
    var result = self.options(phase, options)
    result.batchNormalization = .frozenStatistics
    return result
  }

  private static func droppingLayers(in graph: Graph, trainableLayers: Set<String>) -> Set<String> {
    var result: Set<String> = []
    var trains = [Bool](repeating: false, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      let follows = node.inputs.contains { trains[$0] }
      trains[index] = follows || trainableLayers.contains(node.layer)
      if follows, graph[layer: node.layer]?.isRandomInTraining == true { result.insert(node.layer) }
    }
    return result
  }

  /// The largest power of two for which what a step keeps stays near the processor, and at least four.
  ///
  /// Small batches are faster because their activations are still in the last-level cache when the backward pass wants
  /// them; smaller ones than four are not, as every part of a batch adds all kernels' gradients up.
  private static func fittingMicroBatchSize(of graph: Graph, batchSize: Int) -> Int {
    let budget = 32 << 20
    let perSample = graph.nodes.indices.reduce(0) { sum, node in
      switch graph.layer(of: node) {
      // Batch normalisation and activations end up inside of these.
      case is Conv2D, is DepthwiseConv2D, is SeparableConv2D, is Dense:
        sum + graph.nodes[node].outputShape.elementCount * MemoryLayout<Float>.stride
      default: sum
      }
    }
    var size = min(4, batchSize)
    while size * 2 <= batchSize, size * 2 * perSample <= budget { size *= 2 }
    return size * 2 > batchSize && batchSize * perSample <= budget ? batchSize : size
  }
}

extension Phase.BatchNormalizationMode {
  /// The same for plans.
  var forPlans: PlanOptions.BatchNormalizationMode {
    switch self {
    case .frozenStatistics, .affineOnly: .frozenStatistics
    case .trainingStatistics: .trainingStatistics
    }
  }
}
