import Tensors

/// One number for all those along some axes.
///
/// Over height and width of images this is global pooling, and said as that.
public struct Reduction: Layer {
  /// The name of this kind; Keras has an operation for each way.
  public static let kind = "Reduction"

  /// What becomes of the numbers.
  public enum Way: String, Hashable, Sendable {
    /// Their mean.
    case mean = "Mean"
    /// Their sum.
    case sum = "Sum"
    /// The largest.
    case maximum = "Max"
    /// The smallest.
    case minimum = "Min"
  }

  /// What becomes of the numbers.
  public var way: Way
  /// The axes of one sample that are reduced; negative ones count from behind.
  public var axes: [Int]
  /// Whether these axes remain, with extent 1.
  public var keepsAxes: Bool

  /// A reduction along axes.
  public init(_ way: Way, axes: [Int], keepsAxes: Bool = false) {
    self.way = way
    self.axes = axes
    self.keepsAxes = keepsAxes
  }

  /// The shape of one sample of the output.
  public func outputShape(for inputs: [Shape]) throws(GraphError) -> Shape {
    let input = try single(inputs)
    let axes = Set(axes.map { $0 < 0 ? $0 + input.rank : $0 })
    guard !axes.isEmpty, axes.count == self.axes.count, axes.allSatisfy((0..<input.rank).contains) else {
      throw Self.unfit("reduces along axes \(self.axes), which are no axes of \(input)")
    }
    guard input.elementCount > 0 else { throw Self.unfit("cannot reduce the empty \(input)") }
    return Shape(
      (0..<input.rank).compactMap { axis in axes.contains(axis) ? (keepsAxes ? 1 : nil) : input[axis] })
  }
}
