import Engine

/// The features of one epoch's pictures, list by list in the order in which they are used.
@EngineActor
final class FeatureFeed {
  private let pipeline: FeaturePipeline
  private let lists: [ArraySlice<PictureRequest>]
  private let pictures: any PictureSequence
  private var position = 0

  /// A feed of the given lists, with the pictures of those that are not cached.
  init(_ pipeline: FeaturePipeline, lists: [ArraySlice<PictureRequest>], pictures: any PictureSequence) {
    self.pipeline = pipeline
    self.lists = lists
    self.pictures = pictures
  }

  /// Fills the inputs of a plan with the next list's features, and the rows that are left over with zeros.
  ///
  /// - Returns: The pictures in the first rows.
  func next(into inputs: [PlanPort]) throws -> ArraySlice<PictureRequest> {
    let list = lists[position]
    position += 1
    if pipeline.isCached(list) {
      for (row, request) in list.enumerated() { pipeline.copyKept(request, to: row, of: inputs) }
    } else {
      var row = 0
      while row < list.count {
        let count = min(pipeline.chunkSize, list.count - row)
        try pipeline.compute(count, from: pictures)
        for place in 0..<count { pipeline.copyComputed(at: place, to: row + place, of: inputs) }
        row += count
      }
    }
    for input in inputs { input.values[(list.count * input.shape.elementCount)...].update(repeating: 0) }
    return list
  }
}
