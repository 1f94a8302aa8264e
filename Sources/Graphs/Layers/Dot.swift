import Tensors

/// Products of all rows of one input with all rows of another: sums over one axis of each.
///
/// ## Shapes
/// - inputs: `[A…, K, B…]` and `[C…, K, D…]`
/// - output: `[A…, B…, C…, D…]`, or `[1]` where nothing is left
public struct Dot: Layer {
  /// Keras's name of this kind.
  public static let kind = "Dot"

  /// The axis of one sample of each input that is summed over, counted from the first; −1 is the last.
  public var axes: [Int]
  /// Whether each input is brought to length 1 along its axis before, which makes the products cosines.
  public var normalizes: Bool

  /// Products over the given axes, one for both inputs or one for each.
  public init(axes: [Int], normalizes: Bool = false) {
    self.axes = axes
    self.normalizes = normalizes
  }

  /// The axes counted from the first, for inputs of the given shapes.
  package func resolvedAxes(_ inputs: [Shape]) throws(GraphError) -> [Int] {
    guard inputs.count == 2 else { throw Self.unfit("takes two inputs, but has \(inputs.count)") }
    guard axes.count == 1 || axes.count == 2 else { throw Self.invalid("axes \(axes) have to be one or two") }
    return [try resolved([axes[0]], in: inputs[0])[0], try resolved([axes[axes.count - 1]], in: inputs[1])[0]]
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let axes = try resolvedAxes(inputs)
    guard inputs[0][axes[0]] == inputs[1][axes[1]] else {
      throw Self.unfit("cannot multiply \(inputs[0]) along axis \(axes[0]) with \(inputs[1]) along axis \(axes[1])")
    }
    var (left, right) = (inputs[0].dimensions, inputs[1].dimensions)
    left.remove(at: axes[0])
    right.remove(at: axes[1])
    return left.isEmpty && right.isEmpty ? [1] : Shape(left + right)
  }
}
