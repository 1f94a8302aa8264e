import Engine

/// The features of one epoch's pictures, list by list in the order in which they are used.
@EngineActor
final class FeatureFeed {
  private let pipeline: FeaturePipeline
  private let lists: [ArraySlice<PictureRequest>]
  private let pictures: any PictureSequence
  /// How samples are mixed, and the one before the first.
  private let mixing: (epoch: MixedEpoch, first: ArraySlice<PictureRequest>)?
  private var mixer: FeatureMixer?
  private var position = 0

  /// A feed of the given lists, with the pictures of what is kept nowhere.
  init(
    _ pipeline: FeaturePipeline, lists: [ArraySlice<PictureRequest>], pictures: any PictureSequence,
    mixing: (epoch: MixedEpoch, first: ArraySlice<PictureRequest>)? = nil
  ) {
    self.pipeline = pipeline
    self.lists = lists
    self.pictures = pictures
    self.mixing = mixing
  }

  /// Fills the inputs of a plan with the next list's features, and the rows that are left over with zeros.
  ///
  /// - Returns: The pictures in the first rows.
  func next(into inputs: [PlanPort]) throws -> ArraySlice<PictureRequest> {
    if let mixing, mixer == nil {
      let mixer = FeatureMixer(mixing.epoch, inputs: inputs)
      try pipeline.put(mixing.first, into: inputs, at: 0, from: pictures)
      mixer.begin(with: inputs)
      self.mixer = mixer
    }
    let list = lists[position]
    position += 1
    for chunk in list.chunked(by: pipeline.chunkSize) {
      try pipeline.put(chunk, into: inputs, at: chunk.startIndex - list.startIndex, from: pictures)
    }
    mixer?.mix(list.indices, in: inputs)
    for input in inputs { input.values[(list.count * input.shape.elementCount)...].update(repeating: 0) }
    return list
  }
}
