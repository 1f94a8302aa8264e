import Engine
import Tasks

/// The losses of all tasks as one, on the outputs of a plan.
@EngineActor
final class TaskLosses {
  private let table: LabelTable
  private let functions: [any ClassificationLoss]
  private let balancing: MeanBalancing
  private var labels: [Int32]
  private var batch: [LossValue]
  private var epoch: [LossValue]
  private var scales: [Float]

  /// The losses for training on some samples.
  init(_ table: LabelTable, training: [Int], microBatchSize: Int) {
    self.table = table
    functions = table.tasks.enumerated().map { index, task in
      task.trainingLoss(counts: table.classCounts(task: index, among: training))
    }
    balancing = MeanBalancing(table.tasks)
    labels = Array(repeating: -1, count: microBatchSize)
    batch = Array(repeating: LossValue(), count: functions.count)
    epoch = batch
    scales = Array(repeating: 0, count: functions.count)
  }

  /// Forgets the epoch before.
  func beginEpoch() {
    for task in epoch.indices { epoch[task] = LossValue() }
  }

  /// Turns to a batch: its mean is over all its samples, though they come in parts.
  func beginBatch(_ list: ArraySlice<PictureRequest>) {
    for task in functions.indices {
      batch[task] = LossValue()
      scales[task] = balancing.gradientScale(task: task, labelledCount: table.labelledCount(in: list, task: task))
    }
  }

  /// Adds the losses of a part of the batch, and writes ∂J/∂logits.
  func add(_ list: ArraySlice<PictureRequest>, plan: Plan) {
    for (task, function) in functions.enumerated() {
      table.copyLabels(of: list, task: task, into: &labels)
      batch[task] += labels.withUnsafeBufferPointer { labels in
        function.evaluate(
          logits: UnsafeBufferPointer(plan.outputs[task].values), labels: labels,
          gradient: plan.outputGradients[task], scale: scales[task])
      }
    }
  }

  /// J of the batch, which then counts for the epoch.
  func endBatch() -> Double {
    for task in epoch.indices { epoch[task] += batch[task] }
    return balancing.value(batch)
  }

  /// J over the epoch so far.
  var epochLoss: Double { balancing.value(epoch) }

  /// J of what was measured.
  func value(of measured: [MetricAccumulator]) -> Double { balancing.value(measured.map(\.loss)) }
}
