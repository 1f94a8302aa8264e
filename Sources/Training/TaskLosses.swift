import Engine
import Tasks

/// The losses of all tasks as one, on the outputs of a plan.
@EngineActor
final class TaskLosses {
  private let table: LabelTable
  private let functions: [any ClassificationLoss]
  private let balancing: MeanBalancing
  private var labels: [Int32]
  /// The gradient of one sample's loss by its partner's label.
  private let partnerGradient: FloatBuffer
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
    partnerGradient = FloatBuffer(count: functions.map(\.classCount).max() ?? 0)
    batch = Array(repeating: LossValue(), count: functions.count)
    scales = Array(repeating: 0, count: functions.count)
  }

  /// The losses of an epoch that has not begun.
  var zeros: [LossValue] { Array(repeating: LossValue(), count: functions.count) }

  /// Turns to a batch: its mean is over all its samples, though they come in parts.
  func beginBatch(_ list: ArraySlice<PictureRequest>, mixing: MixedEpoch? = nil) {
    for task in functions.indices {
      batch[task] = LossValue()
      let labelledCount =
        if let mixing {
          list.indices.count { index in
            [list[index], mixing.partner(of: index)].contains { table.labels[task][$0.sample] >= 0 }
          }
        } else {
          table.labelledCount(in: list, task: task)
        }
      scales[task] = balancing.gradientScale(task: task, labelledCount: labelledCount)
    }
  }

  /// Adds the losses of a part of the batch, and writes ∂J/∂logits.
  func add(_ list: ArraySlice<PictureRequest>, mixing: MixedEpoch? = nil, plan: Plan) {
    for (task, function) in functions.enumerated() {
      if let mixing {
        batch[task] += mixedLoss(of: list, mixing, task: task, plan: plan)
        continue
      }
      table.copyLabels(of: list, task: task, into: &labels)
      batch[task] += labels.withUnsafeBufferPointer { labels in
        function.evaluate(
          logits: UnsafeBufferPointer(plan.outputs[task].values), labels: labels,
          gradient: plan.outputGradients[task], scale: scales[task])
      }
    }
  }

  /// The loss of one task where every sample has two labels, and its gradient.
  private func mixedLoss(
    of list: ArraySlice<PictureRequest>, _ mixing: MixedEpoch, task: Int, plan: Plan
  ) -> LossValue {
    let function = functions[task]
    let (output, gradient) = (plan.outputs[task], plan.outputGradients[task])
    let partnerGradient = UnsafeMutableBufferPointer(rebasing: partnerGradient.values[..<function.classCount])
    var result = LossValue()
    for (row, index) in list.indices.enumerated() {
      let share = Float(mixing.mix(of: index).share)
      let logits = UnsafeBufferPointer(output[row])
      let start = row * function.classCount
      let rowGradient = UnsafeMutableBufferPointer(rebasing: gradient[start..<start + function.classCount])
      func loss(
        by label: Int32, share: Float, into gradient: UnsafeMutableBufferPointer<Float>
      ) -> (sum: Double, isLabelled: Bool) {
        let value = withUnsafePointer(to: label) { label in
          function.evaluate(
            logits: logits, labels: UnsafeBufferPointer(start: label, count: 1), gradient: gradient,
            scale: scales[task] * share)
        }
        return (Double(share) * value.sum, value.count > 0)
      }
      // The partner's first: the gradient may lie where the logits are.
      let labels = table.labels[task]
      let other = loss(by: labels[mixing.partner(of: index).sample], share: 1 - share, into: partnerGradient)
      let own = loss(by: labels[list[index].sample], share: share, into: rowGradient)
      for place in rowGradient.indices { rowGradient[place] += partnerGradient[place] }
      result += LossValue(sum: own.sum + other.sum, count: own.isLabelled || other.isLabelled ? 1 : 0)
    }
    gradient[(list.count * function.classCount)...].update(repeating: 0)
    return result
  }

  /// J of the batch, whose losses are added to those of its epoch.
  func endBatch(of epoch: inout [LossValue]) -> Double {
    for task in batch.indices { epoch[task] += batch[task] }
    return balancing.value(batch)
  }

  /// J from the losses of all tasks.
  func value(of losses: [LossValue]) -> Double { balancing.value(losses) }
}
