import Engine
import Graphs
import Tensors

extension Optimizer {
  /// A copy of what is kept of every parameter that has ever trained.
  package var moments: [ParameterPath: Checkpoint.Moments] {
    Dictionary(uniqueKeysWithValues: states.keys.compactMap { path in moments(of: path).map { (path, $0) } })
  }

  /// How many steps each parameter has taken that has ever trained.
  package var stepCounts: [ParameterPath: Int] { states.mapValues(\.stepCount) }

  /// A copy of what is kept of one parameter; nil where it has never trained.
  package func moments(of path: ParameterPath) -> Checkpoint.Moments? {
    guard let state = states[path] else { return nil }
    var copy = Checkpoint.Moments()
    copy.stepCount = state.stepCount
    copy.velocity = tensor(state.velocity, at: path)
    copy.firstMoment = tensor(state.firstMoment, at: path)
    copy.secondMoment = tensor(state.secondMoment, at: path)
    return copy
  }

  /// Puts back what was kept, before the next phase begins.
  package func restore(_ moments: [ParameterPath: Checkpoint.Moments]) {
    for (path, kept) in moments {
      let state = State()
      state.stepCount = kept.stepCount
      state.velocity = kept.velocity.map(FloatBuffer.init)
      state.firstMoment = kept.firstMoment.map(FloatBuffer.init)
      state.secondMoment = kept.secondMoment.map(FloatBuffer.init)
      restore(state, at: path)
    }
  }

  private func tensor(_ buffer: FloatBuffer?, at path: ParameterPath) -> Tensor? {
    guard let buffer, let shape = shape(of: path) else { return nil }
    return Tensor(shape: shape, elementType: .f32) { $0.copyMemory(from: UnsafeRawBufferPointer(buffer.values)) }
  }
}

extension FloatBuffer {
  /// A copy of a tensor's numbers.
  fileprivate convenience init(_ tensor: Tensor) {
    self.init(count: tensor.elementCount)
    tensor.withFloats { _ = values.update(fromContentsOf: $0) }
  }
}
