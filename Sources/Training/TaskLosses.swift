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
    scales = Array(repeating: 0, count: functions.count)
  }

  /// The losses of an epoch that has not begun.
  var zeros: [LossValue] { Array(repeating: LossValue(), count: functions.count) }

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

  /// J of the batch, whose losses are added to those of its epoch.
  func endBatch(of epoch: inout [LossValue]) -> Double {
    for task in batch.indices { epoch[task] += batch[task] }
    return balancing.value(batch)
  }

  /// J from the losses of all tasks.
  func value(of losses: [LossValue]) -> Double { balancing.value(losses) }
}
