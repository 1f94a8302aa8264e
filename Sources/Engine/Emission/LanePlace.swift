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

extension Emitter {
  /// Multiplications and additions of the convolutions and matrix products among the steps.
  var operationCount: Int { (steps + jointSteps).reduce(0) { $0 + $1.operationCount } }

  /// Whether lanes of their own bring more than adding their gradients up costs.
  ///
  /// Every lane has gradients of all parameters, which are added up after the last part of a batch; a core multiplies and
  /// adds about ten times while memory brings it one byte.
  var isWorthDividing: Bool { gradientBuffer.byteCount * lane.count * 10 <= operationCount / 10 }

  /// Whether one thread has done everything in about the time that another takes to wake for each step.
  var isSmall: Bool { operationCount * lane.count <= 8 << 20 && layout.byteCount * lane.count <= 2 << 20 }
}
