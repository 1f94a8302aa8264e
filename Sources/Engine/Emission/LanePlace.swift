/// Which part of a batch an emitter makes steps for.
///
/// A plan has one lane of all threads, or one for each thread: samples that do not know each other are computed from
/// beginning to end by one thread each, which waits for no other on the way and finds in its own caches what it has just
/// computed. All lanes have the same steps, and share what is packed from parameters.
@EngineActor struct LanePlace {
  /// The one lane of a plan that is not divided.
  static let whole = LanePlace(index: 0, count: 1, leader: nil)

  let index: Int
  let count: Int
  /// The emitter of the first lane, which has made what lanes share; nil for that lane itself.
  let leader: Emitter?
}
