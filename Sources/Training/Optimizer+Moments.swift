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
    for (buffer, tensor) in Self.kept { copy[keyPath: tensor] = self.tensor(state[keyPath: buffer], at: path) }
    return copy
  }

  /// Puts back what was kept, before the next phase begins.
  package func restore(_ moments: [ParameterPath: Checkpoint.Moments]) {
    for (path, copy) in moments {
      let state = State()
      state.stepCount = copy.stepCount
      for (buffer, tensor) in Self.kept { state[keyPath: buffer] = copy[keyPath: tensor].map(FloatBuffer.init) }
      restore(state, at: path)
    }
  }

  /// What is kept, at work and in a file.
  private static var kept:
    [(ReferenceWritableKeyPath<State, FloatBuffer?>, WritableKeyPath<Checkpoint.Moments, Tensor?>)]
  {
    [
      (\.velocity, \.velocity), (\.firstMoment, \.firstMoment), (\.secondMoment, \.secondMoment),
      (\.meanSquare, \.meanSquare), (\.increment, \.increment), (\.signMoment, \.signMoment),
    ]
  }

  private func tensor(_ buffer: FloatBuffer?, at path: ParameterPath) -> Tensor? {
    guard let buffer, let shape = shape(of: path) else { return nil }
    return Tensor(shape: shape, elementType: .f32) { $0.copyMemory(from: UnsafeRawBufferPointer(buffer.values)) }
  }
}
