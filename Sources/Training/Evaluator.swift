import Engine
import Graphs
import Tasks

/// Measures a network on labelled samples.
@EngineActor
package final class Evaluator {
  private let pipeline: FeaturePipeline
  private let plan: Plan
  private let table: LabelTable
  private var labels: [Int32]

  /// An evaluator of a whole network.
  ///
  /// - Parameter graph: The network that ends in the tasks' logits.
  package convenience init(
    graph: Graph, parameters: ParameterBank, pictures: any PictureSource, labels: LabelTable, batchSize: Int
  ) throws(EngineError) {
    let pipeline = FeaturePipeline(source: pictures, parameters: parameters, chunkSize: batchSize)
    let plan = try Plan(graph, parameters: parameters, options: PlanOptions(batchSize: batchSize))
    self.init(pipeline: pipeline, plan: plan, labels: labels)
  }

  /// An evaluator of what follows a frontier.
  init(pipeline: FeaturePipeline, plan: Plan, labels: LabelTable) {
    self.pipeline = pipeline
    self.plan = plan
    table = labels
    self.labels = Array(repeating: -1, count: plan.batchSize)
  }

  /// The losses and predictions of each task on some samples.
  package func measure(_ samples: [Int]) throws -> [MetricAccumulator] {
    let requests = samples.map { PictureRequest($0) }
    let lists = requests[...].chunked(by: plan.batchSize)
    let feed = pipeline.feed(lists)
    var results = table.tasks.map { MetricAccumulator(task: $0) }
    for _ in lists {
      try Task.checkCancellation()
      let list = try feed.next(into: plan.inputs)
      plan.forward()
      for task in results.indices {
        table.copyLabels(of: list, task: task, into: &labels)
        labels.withUnsafeBufferPointer {
          results[task].add(logits: UnsafeBufferPointer(plan.outputs[task].values), labels: $0)
        }
      }
    }
    return results
  }
}

extension LabelTable {
  /// The labels of a list of pictures in the first rows, and −1 in those that only fill up the batch.
  func copyLabels(of list: ArraySlice<PictureRequest>, task: Int, into rows: inout [Int32]) {
    var row = 0
    for request in list {
      rows[row] = labels[task][request.sample]
      row += 1
    }
    while row < rows.count {
      rows[row] = -1
      row += 1
    }
  }

  /// How many pictures of a list carry a task's label.
  func labelledCount(in list: ArraySlice<PictureRequest>, task: Int) -> Int {
    list.reduce(0) { labels[task][$1.sample] >= 0 ? $0 + 1 : $0 }
  }
}
