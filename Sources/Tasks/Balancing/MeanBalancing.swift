/// Several tasks' losses as one: J = (1/n) Σ wᵢ Jᵢ, where Jᵢ is the mean over the samples that carry the task's label.
///
/// A task that has no label in a batch adds nothing to that batch, and n stays the number of tasks.
public struct MeanBalancing: Hashable, Sendable {
  /// The factor wᵢ of each task.
  public var weights: [Float]

  /// The mean over the given tasks.
  public init(_ tasks: [TaskDescription]) { weights = tasks.map(\.weight) }

  /// The factor between the gradient of one task's summed loss and that of J: wᵢ / (n · labelled samples).
  ///
  /// - Parameters:
  ///   - task: The task's position in the list.
  ///   - labelledCount: Samples with a label in the whole batch, also where it is worked off in parts.
  public func gradientScale(task: Int, labelledCount: Int) -> Float {
    labelledCount > 0 ? weights[task] / Float(weights.count * labelledCount) : 0
  }

  /// J from the losses of all tasks.
  public func value(_ losses: [LossValue]) -> Double {
    precondition(losses.count == weights.count, "every task has its loss")
    guard !weights.isEmpty else { return 0 }
    return zip(weights, losses).reduce(0) { $0 + Double($1.0) * $1.1.mean } / Double(weights.count)
  }
}
