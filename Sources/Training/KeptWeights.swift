import Engine
import Graphs
import Tensors

/// Copies of some parameters, to come back to.
///
/// Only what has trained in a phase that goes back to its best weights is copied. A parameter joins with the value that
/// it has when the first such phase begins, which is also the one that goes with all copies of that time.
@EngineActor
struct KeptWeights {
  /// The copies.
  private(set) var weights = Weights()
  private let parameters: ParameterBank

  /// Nothing yet.
  init(_ parameters: ParameterBank) { self.parameters = parameters }

  /// Takes in parameters that are about to change for the first time.
  mutating func include(_ paths: some Sequence<ParameterPath>) {
    for (path, tensor) in parameters.snapshot(of: paths.filter { weights[$0] == nil }).tensors {
      weights[path] = tensor
    }
  }

  /// Copies the present values.
  mutating func take() {
    for path in weights.tensors.keys {
      weights[path]?.withMutableFloats { _ = $0.update(fromContentsOf: parameters.values(at: path)) }
    }
  }

  /// Puts the copies back.
  func restore() { parameters.load(weights) }

  /// Goes on with copies that were made earlier.
  mutating func replace(by weights: Weights) { self.weights = weights }
}
