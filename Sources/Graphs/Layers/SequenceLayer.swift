import Tensors

/// A layer of sequences `[L, C]` that computes what a layer of images computes for an image of one row, `[1, L, C]`.
public protocol SequenceLayer: Layer {
  /// The layer of images; its windows have a height of 1.
  var planar: any Layer { get }
}

extension SequenceLayer {
  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let output = try planar.outputShape(for: [try row(inputs)])
    return output.rank == 3 ? Shape(Array(output.dimensions.dropFirst())) : output
  }

  /// The parameters in Keras's order; kernels have no axis for the height of the window.
  public func parameters(for inputs: [Shape]) throws(GraphError) -> [Parameter] {
    try planar.parameters(for: [try row(inputs)]).map { parameter in
      guard parameter.shape.rank == 4 else { return parameter }
      return Parameter(parameter.name, Shape(Array(parameter.shape.dimensions.dropFirst())), parameter.role)
    }
  }

  /// The sequence as an image of one row.
  package func row(_ inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try single(inputs)
    guard input.rank == 2 else { throw Self.unfit("takes a sequence [L, C], but its input is \(input)") }
    return [1, input[0], input[1]]
  }
}
