import Engine
import Freezing
import Graphs

/// Chooses the stages of a phase, where it wants that, by the gradients of its first batches.
///
/// Nothing is changed by it: neither parameters nor statistics, and no forward pass is counted.
@EngineActor
struct StageMeasurement {
  private let context: RunContext
  private let state: RunState
  private let index: Int

  /// A measurement for the phase at a place in the schedule.
  init(at index: Int, context: RunContext, state: RunState) {
    self.index = index
    self.context = context
    self.state = state
  }

  /// The phase with its stages chosen; those of an earlier run again, where there was one.
  func phase() throws -> Phase {
    let phase = context.schedule.phases[index]
    guard let choice = phase.choose, choice.chosen == nil else { return phase }
    if let chosen = state.progress.record.phases[index].chosen { return phase.choosing(chosen) }
    let chosen = choice.stages(by: try norms(phase, batchCount: choice.batches))
    state.progress.record.phases[index].chosen = chosen
    try context.reached(.decision)
    return phase.choosing(chosen)
  }

  /// Measures one batch and chooses nothing, to see what that takes.
  ///
  /// - Returns: The memory that the process has meanwhile, in bytes.
  func rehearse() throws -> Int {
    var resident = 0
    _ = try norms(context.schedule.phases[index], batchCount: 1) { resident = residentBytes() }
    return resident
  }

  /// The norms of the gradients of all stages, for each of the first batches.
  ///
  /// - Parameter measured: Called when they are known, before what has measured them goes.
  private func norms(_ phase: Phase, batchCount: Int, measured: () -> Void = {}) throws -> [[StageNorms]] {
    let plan = context.plans[index]
    var options = plan.measuringOptions(phase, context.options)
    options.memoryBudget = context.options.memoryBudget
    // From the pictures on: features would be kept on a way that a run which knows the choice does not take.
    let trained = try Plan(context.graph, parameters: state.parameters, options: options)
    let gradients = StageGradients(
      context.graph.trainableStages(headLayers: context.headLayers), gradients: trained.gradients,
      parameters: state.parameters)
    let losses = TaskLosses(
      context.data.labels, training: context.data.training, microBatchSize: plan.microBatchSize)
    let requests = context.data.trainingRequests(seed: context.options.seed, epoch: state.progress.epochCount)
    let batches = requests[...].chunked(by: context.batchSize).prefix(batchCount)
    let feed = context.features.pictures.feed(batches.flatMap { $0.chunked(by: plan.microBatchSize) })
    var pass = state.progress.passCount
    var result: [[StageNorms]] = []
    for batch in batches {
      losses.beginBatch(batch)
      var done = 0
      while done < batch.count {
        try Task.checkCancellation()
        let list = try feed.next(into: trained.inputs)
        trained.forward(step: pass)
        pass += 1
        losses.add(list, plan: trained)
        trained.backward(accumulating: done > 0, completing: done + list.count == batch.count)
        done += list.count
      }
      result.append(gradients.norms)
    }
    withExtendedLifetime(trained) { measured() }
    return result
  }
}
