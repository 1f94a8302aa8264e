import Tensors

/// The numbers of a network: a tensor for every parameter path.
public struct Weights: Hashable, Sendable {
  /// The tensors by path.
  public var tensors: [ParameterPath: Tensor]

  /// Weights of the given paths.
  public init(_ tensors: [ParameterPath: Tensor] = [:]) { self.tensors = tensors }

  /// The tensor at a path, or nil.
  public subscript(path: ParameterPath) -> Tensor? {
    get { tensors[path] }
    set { tensors[path] = newValue }
  }

  /// Checks that every parameter of a graph is there with its shape, as single-precision numbers.
  ///
  /// - Throws: `GraphError.Code.unfitParameter` naming the first that is not.
  public func check(against graph: Graph) throws(GraphError) {
    for (path, parameter) in graph.parameters {
      guard let tensor = tensors[path] else {
        throw GraphError(.unfitParameter, subject: path.description, detail: "has no value")
      }
      guard tensor.shape == parameter.shape, tensor.elementType == .f32 else {
        throw GraphError(
          .unfitParameter, subject: path.description, detail: "expected f32\(parameter.shape), found \(tensor)")
      }
    }
  }
}
