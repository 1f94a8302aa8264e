/// Numbers in memory that stays where it is as long as the object lives.
final class FloatBuffer {
  /// The numbers; zero at first.
  let values: UnsafeMutableBufferPointer<Float>

  /// So many zeros.
  init(count: Int) {
    values = .allocate(capacity: count)
    values.initialize(repeating: 0)
  }

  deinit { values.deallocate() }
}
