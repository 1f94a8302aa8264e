import Datasets
import Engine
import Models
import Tasks
import Training

/// What a model was measured to know.
public struct Evaluation: Hashable, Sendable, Codable {
  /// How many pictures were looked at.
  public var pictureCount: Int
  /// Each task's metrics, by its name.
  public var tasks: [String: ClassificationMetrics]
  /// The pictures that could not be read, a sentence each.
  public var leftOut: [String]
}

extension Model {
  /// Measures the model on labelled pictures: those for testing where the data set names such, and all otherwise.
  ///
  /// - Throws: `TrainingError` where the data has none of the model's tasks or other classes, `DatasetError` where too
  ///   many pictures cannot be read, `EngineError` where the model cannot be run.
  public func evaluate(on dataset: Dataset, badFiles: BadFilePolicy = .standard) async throws -> Evaluation {
    let decoder = try pictureDecoder()
    var measured = dataset
    if dataset.samples.contains(where: { $0.part == .test }) {
      measured = dataset.removing(dataset.samples.indices.filter { dataset.samples[$0].part != .test })
    }
    // Labels that the model cannot know are found before any picture is decoded.
    _ = try LabelTable(measured, tasks: tasks)
    let cache = PictureCache(decoder)
    let check = try PictureCheck(PictureLoader(measured, decoder: decoder, cache: cache), policy: badFiles)
    let loader = PictureLoader(check.dataset, decoder: decoder, cache: cache)
    let labels = try LabelTable(check.dataset, tasks: tasks)
    let graph = try logitsGraph()
    let weights = self.weights
    let metrics = try await EngineActor.run { () throws in
      let parameters = try ParameterBank(graph: graph, weights: weights)
      let evaluator = try Evaluator(
        graph: graph, parameters: parameters, pictures: DatasetPictures(loader, augmentation: .none, seed: 0),
        labels: labels, batchSize: 4)
      return try evaluator.measure(Array(check.dataset.samples.indices)).map { ($0.task.name, $0.metrics) }
    }
    return Evaluation(
      pictureCount: check.dataset.samples.count, tasks: Dictionary(uniqueKeysWithValues: metrics),
      leftOut: check.failures.map(\.description))
  }
}
