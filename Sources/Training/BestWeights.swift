import Engine
import Graphs
import Tensors

/// The weights with the best validation loss over all phases so far.
///
/// Only what has ever trained is copied. A parameter joins with the value it has when its first phase begins, which is
/// also the one it had in every earlier epoch.
@EngineActor
struct BestWeights {
  /// The loss that they reached; infinite before the first epoch.
  private(set) var loss = Double.infinity
  private var tensors: [ParameterPath: Tensor] = [:]
  private let parameters: ParameterBank
  private let shapes: [ParameterPath: Shape]

  /// Nothing yet.
  init(graph: Graph, parameters: ParameterBank) {
    self.parameters = parameters
    shapes = Dictionary(uniqueKeysWithValues: graph.parameters.map { ($0.path, $0.parameter.shape) })
  }

  /// Takes in parameters that are about to change for the first time.
  mutating func include(_ paths: some Sequence<ParameterPath>) {
    for path in paths where tensors[path] == nil {
      guard let shape = shapes[path] else { preconditionFailure("\(path) belongs to the network") }
      tensors[path] = Tensor(Array(parameters.values(at: path)), shape: shape)
    }
  }

  /// Keeps the present weights if their loss is lower than any before.
  ///
  /// - Returns: Whether they were kept.
  mutating func offer(loss: Double) -> Bool {
    guard loss < self.loss else { return false }
    self.loss = loss
    for path in tensors.keys {
      tensors[path]?.withMutableFloats { _ = $0.update(fromContentsOf: parameters.values(at: path)) }
    }
    return true
  }

  /// Puts the best weights back; leaves everything as it is if there were none.
  func restore() {
    if loss.isFinite { parameters.load(Weights(tensors)) }
  }
}
