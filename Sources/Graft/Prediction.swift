import Datasets
import Engine
import Models
import Tasks
import Training

/// What a model says about one picture for one task.
public struct Prediction: Hashable, Sendable, Codable {
  /// A class with the probability that the model gives it.
  public struct Answer: Hashable, Sendable, Codable {
    /// The position of the class among the task's.
    public var index: Int
    /// The name of the class.
    public var name: String
    /// The probability, from 0 to 1.
    public var probability: Float

    private enum CodingKeys: String, CodingKey {
      case index
      case name = "class"
      case probability
    }
  }

  /// The picture, as it was asked for.
  public var file: String
  /// The task's name.
  public var task: String
  /// The likeliest classes, the likeliest first.
  public var top: [Answer]
}

extension Model {
  /// How pictures are brought to the size that the model takes.
  ///
  /// - Throws: `ModelError.Code.unfitDocument` where the file asks for a way that is not known, `noTrunk` where the model
  ///   takes no pictures.
  package func pictureDecoder() throws -> PictureDecoder {
    let shape = pictureShape
    guard graph.inputs.count == 1, shape.rank == 3, shape[2] == 3 else {
      let found = graph.inputs.map { graph.nodes[$0].outputShape.description }.joined(separator: ", ")
      throw ModelError(.noTrunk, subject: graph.name, detail: "expected one input of RGB pictures, found \(found)")
    }
    let name = document?.picture.fit ?? Fit.crop.rawValue
    guard let fit = Fit(rawValue: name) else {
      throw ModelError(.unfitDocument, subject: "graft.json", detail: "expected crop, squash or pad, found \(name)")
    }
    return PictureDecoder(width: shape[1], height: shape[0], fit: fit)
  }

  /// Asks the model about pictures: an answer for each picture and each task, in that order.
  ///
  /// - Parameter count: How many classes each answer names at most.
  /// - Throws: `DatasetError` for the first picture that cannot be read, `ModelError` where the model answers no
  ///   classification, `EngineError` where it cannot be run.
  public func predict(_ files: [String], top count: Int = 5) async throws -> [Prediction] {
    let (predictions, failures) = try await predictReadable(files, top: count)
    if let failure = failures.first { throw failure }
    return predictions
  }

  /// Asks the model about those of some pictures that can be read, and says why the others cannot.
  package func predictReadable(
    _ files: [String], top count: Int
  ) async throws -> (predictions: [Prediction], failures: [DatasetError]) {
    let tasks = self.tasks
    guard !tasks.isEmpty, tasks.count == graph.outputs.count else {
      let found = graph.outputs.map { graph.nodes[$0].outputShape.description }.joined(separator: ", ")
      throw ModelError(
        .unfitTasks, subject: graph.name, detail: "expected outputs of one probability a class, found \(found)")
    }
    let decoder = try pictureDecoder()
    let cache = PictureCache(decoder)
    let pictures = Dataset(root: ".", tasks: [], samples: files.map { Sample(path: $0, labels: []) })
    let check = try PictureCheck(
      PictureLoader(pictures, decoder: decoder, cache: cache), policy: .count(files.count))
    let readable = check.dataset.samples.map(\.path)
    if readable.isEmpty { return ([], check.failures) }
    let loader = PictureLoader(check.dataset, decoder: decoder, cache: cache)
    let model = self
    let outputs = try await EngineActor.run { () throws in
      try Predictor(model, batchSize: min(4, readable.count)).outputs(
        for: readable.indices.map { PictureRequest($0) }, of: DatasetPictures(loader, augmentation: .none, seed: 0))
    }
    let predictions = zip(readable, outputs).flatMap { file, rows in
      zip(tasks, rows).map { task, row in Prediction(file: file, task: task, row: row, count: count) }
    }
    return (predictions, check.failures)
  }
}

extension Prediction {
  /// The likeliest of a row of probabilities; of equal ones the first comes first.
  fileprivate init(file: String, task: TaskDescription, row: [Float], count: Int) {
    let order = row.indices.sorted { row[$0] != row[$1] ? row[$0] > row[$1] : $0 < $1 }
    self.init(
      file: file, task: task.name,
      top: order.prefix(count).map { Answer(index: $0, name: task.classes[$0], probability: row[$0]) })
  }
}
