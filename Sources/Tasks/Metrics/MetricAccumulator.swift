/// Gathers loss and predictions of one task batch by batch.
public struct MetricAccumulator: Sendable {
  /// The task that is measured.
  public let task: TaskDescription
  /// The summed loss so far, without class factors.
  public private(set) var loss = LossValue()
  /// The counts so far.
  public private(set) var confusion: ConfusionMatrix

  private let function: any ClassificationLoss

  /// Nothing gathered yet.
  public init(task: TaskDescription) {
    self.task = task
    confusion = ConfusionMatrix(classCount: task.outputCount)
    function = task.measuredLoss
  }

  /// Adds a batch; samples with label −1 are left out.
  ///
  /// ## Shapes
  /// - logits: `[N, K]`
  /// - labels: `[N]`
  public mutating func add(logits: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Int32>) {
    loss += function.evaluate(logits: logits, labels: labels)
    confusion.add(logits: logits, labels: labels)
  }

  /// Adds a batch whose loss is known already.
  public mutating func add(
    _ loss: LossValue, logits: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Int32>
  ) {
    self.loss += loss
    confusion.add(logits: logits, labels: labels)
  }

  /// The metrics of everything added so far.
  public var metrics: ClassificationMetrics { ClassificationMetrics(task: task, loss: loss, confusion: confusion) }
}
