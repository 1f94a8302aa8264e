import Engine
import Tensors

/// The features of one epoch's pictures, list by list in the order in which they are used.
@EngineActor
final class FeatureFeed {
  private let pipeline: FeaturePipeline
  private let lists: [ArraySlice<PictureRequest>]
  private var position = 0
  private var pictures: AsyncThrowingStream<Tensor, any Error>.Iterator

  init(
    _ pipeline: FeaturePipeline, lists: [ArraySlice<PictureRequest>],
    pictures: AsyncThrowingStream<Tensor, any Error>
  ) {
    self.pipeline = pipeline
    self.lists = lists
    self.pictures = pictures.makeAsyncIterator()
  }

  /// Fills the inputs of a plan with the next list's features, and the rows that are left over with zeros.
  func next(into inputs: [PlanPort]) async throws {
    let list = lists[position]
    position += 1
    if pipeline.isCached(list) {
      for (row, request) in list.enumerated() { pipeline.copyKept(request, to: row, of: inputs) }
    } else {
      var row = 0
      for chunk in list.chunked(by: pipeline.chunkSize) {
        try pipeline.compute(try await nextPictures(), count: chunk.count)
        for place in 0..<chunk.count { pipeline.copyComputed(at: place, to: row + place, of: inputs) }
        row += chunk.count
      }
    }
    for input in inputs { input.values[(list.count * input.shape.elementCount)...].update(repeating: 0) }
  }

  private func nextPictures() async throws -> Tensor? {
    var iterator = pictures
    defer { pictures = iterator }
    return try await iterator.next(isolation: EngineActor.shared)
  }
}
