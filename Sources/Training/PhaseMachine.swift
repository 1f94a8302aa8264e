import Engine
import Freezing
import Graphs

/// Everything that is compiled for the parameters that train now: plans, the features before them, losses.
@EngineActor
struct PhaseMachine {
  /// What the phase means while these parameters train.
  let plan: PhasePlan
  /// The way of the pictures to what trains.
  let pipeline: FeaturePipeline
  /// Computes gradients.
  let trained: Plan
  /// Measures the network.
  let evaluator: Evaluator
  /// The losses of all tasks.
  let losses: TaskLosses
  /// Measures the gradients of stages, where the phase freezes those that have settled.
  let gradients: StageGradients?

  /// Compiles a phase.
  ///
  /// - Throws: `EngineError` where no plan can be made.
  init(_ phase: Phase, _ plan: PhasePlan, context: RunContext, parameters: ParameterBank) throws(EngineError) {
    self.plan = plan
    pipeline = try context.features.pipeline(to: plan.frontier)
    var options = plan.options(phase, context.options)
    options.memoryBudget = context.options.memoryBudget
    trained = try Plan(plan.frontier.suffix, parameters: parameters, options: options)
    let inference = try Plan(
      plan.frontier.suffix, parameters: parameters,
      options: PlanOptions(batchSize: plan.microBatchSize, precision: context.options.precision.trained))
    evaluator = Evaluator(pipeline: pipeline, plan: inference, labels: context.data.labels)
    losses = TaskLosses(
      context.data.labels, training: context.data.training, microBatchSize: plan.microBatchSize)
    gradients =
      phase.freezeSettled == nil
      ? nil
      : StageGradients(
        context.graph.trainableStages(headLayers: context.headLayers), gradients: trained.gradients,
        parameters: parameters)
  }

  /// Computes the gradients of one batch, part by part as the feed brings it.
  ///
  /// - Parameter progress: Counts the passes, and adds up the losses of the epoch.
  /// - Returns: J of the batch.
  func computeGradients(
    of batch: ArraySlice<PictureRequest>, from feed: FeatureFeed, mixing: MixedEpoch?,
    noting progress: inout RunProgress
  ) throws -> Double {
    losses.beginBatch(batch, mixing: mixing)
    var done = 0
    while done < batch.count {
      let list = try feed.next(into: trained.inputs)
      trained.forward(step: progress.passCount)
      progress.passCount += 1
      losses.add(list, mixing: mixing, plan: trained)
      trained.backward(accumulating: done > 0, completing: done + list.count == batch.count)
      done += list.count
    }
    return losses.endBatch(of: &progress.phase.losses)
  }
}
