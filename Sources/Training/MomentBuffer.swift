import Engine

/// The running means that an optimizer keeps for one parameter, in memory that stays where it is.
@EngineActor
final class MomentBuffer {
  /// As many numbers as the parameter has; zero at first.
  let values: UnsafeMutableBufferPointer<Float>

  init(count: Int) {
    values = .allocate(capacity: count)
    values.initialize(repeating: 0)
  }

  deinit { values.deallocate() }
}
