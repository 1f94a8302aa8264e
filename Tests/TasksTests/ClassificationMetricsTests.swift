import Tasks
import Testing

@Suite struct ClassificationMetricsTests {
  private let task = TaskDescription(kind: .classification(classes: ["bird", "fruit", "house"]))

  @Test func numbersCountedByHandComeOut() throws {
    // True bird, bird, bird, fruit, fruit, house; taken for bird, fruit, fruit, fruit, bird, house.
    let guesses = [0, 1, 1, 1, 0, 2]
    let metrics = measure(guesses, labels: [0, 0, 0, 1, 1, 2])
    #expect(metrics.count == 6)
    #expect(metrics.accuracy == 0.5)
    #expect(metrics.confusion == [[1, 2, 0], [1, 1, 0], [0, 0, 1]])
    #expect(metrics.classes.map(\.recall) == [1.0 / 3, 1.0 / 2, 1])
    #expect(metrics.classes.map(\.precision) == [1.0 / 2, 1.0 / 3, 1])
    // scikit-learn's f1_score(average="macro") of the same labels: (0.4 + 0.4 + 1) / 3.
    #expect(abs(metrics.macroF1 - 0.6) <= 1e-12)
    let worst = try #require(metrics.worstPair)
    #expect(worst.label == "bird" && worst.predicted == "fruit" && worst.count == 2 && worst.of == 3)
  }

  @Test func classesThatNeverOccurAreLeftOutOfMeans() {
    let metrics = measure([0, 1], labels: [0, 1])
    #expect(metrics.macroF1 == 1)
    #expect(metrics.classes[2].recall == nil && metrics.classes[2].precision == nil)
    #expect(metrics.worstPair == nil)
  }

  @Test func samplesWithoutALabelAreNotCounted() {
    let metrics = measure([0, 1, 2, 0], labels: [0, -1, -1, 1])
    #expect(metrics.count == 2)
    #expect(metrics.accuracy == 0.5)
  }

  @Test func nothingMeasuredIsNothingReported() {
    let metrics = MetricAccumulator(task: task).metrics
    #expect(metrics.count == 0 && metrics.accuracy == 0 && metrics.loss == 0 && metrics.macroF1 == 0)
  }

  @Test func batchesAddUpToTheWhole() {
    var parts = MetricAccumulator(task: task)
    add([0, 1], labels: [0, 0], to: &parts)
    add([2], labels: [2], to: &parts)
    #expect(parts.metrics == measure([0, 1, 2], labels: [0, 0, 2]))
  }

  private func measure(_ guesses: [Int], labels: [Int32]) -> ClassificationMetrics {
    var accumulator = MetricAccumulator(task: task)
    add(guesses, labels: labels, to: &accumulator)
    return accumulator.metrics
  }

  private func add(_ guesses: [Int], labels: [Int32], to accumulator: inout MetricAccumulator) {
    let logits = guesses.flatMap { guess in (0..<3).map { $0 == guess ? 1 as Float : 0 } }
    logits.withUnsafeBufferPointer { logits in
      labels.withUnsafeBufferPointer { accumulator.add(logits: logits, labels: $0) }
    }
  }
}
