import Tensors

/// Numbers in memory that stays where it is as long as the object lives.
final class FloatBuffer {
  /// The numbers; zero at first.
  let values: UnsafeMutableBufferPointer<Float>

  /// So many zeros.
  init(count: Int) {
    values = .allocate(capacity: count)
    values.initialize(repeating: 0)
  }

  /// A copy of a tensor's numbers.
  convenience init(_ tensor: Tensor) {
    self.init(count: tensor.elementCount)
    tensor.withFloats { _ = values.update(fromContentsOf: $0) }
  }

  deinit { values.deallocate() }
}
