/// The extents of a tensor's axes, outermost first.
///
/// Activations of one sample are `[H, W, C]`, batches `[N, H, W, C]`, kernels `[KH, KW, Cin, Cout]`: the channels come
/// last, as Keras stores them. The empty shape belongs to a scalar.
public struct Shape: Hashable, Sendable {
  /// The extent of every axis; each is zero or more.
  public var dimensions: [Int]

  /// A shape with the given extents, outermost axis first.
  public init(_ dimensions: [Int]) {
    precondition(dimensions.allSatisfy { $0 >= 0 }, "a shape has no negative extents")
    self.dimensions = dimensions
  }

  /// The number of axes.
  public var rank: Int { dimensions.count }

  /// The product of all extents: 1 for a scalar.
  public var elementCount: Int { dimensions.reduce(1, *) }

  /// The extent of one axis; negative axes count from the last.
  public subscript(axis: Int) -> Int {
    get { dimensions[axis < 0 ? axis + dimensions.count : axis] }
    set { dimensions[axis < 0 ? axis + dimensions.count : axis] = newValue }
  }

  /// This shape with a batch axis of the given extent before it.
  public func batched(_ count: Int) -> Shape { Shape([count] + dimensions) }
}

extension Shape: ExpressibleByArrayLiteral {
  /// A shape written as its extents: `let shape: Shape = [224, 224, 3]`.
  public init(arrayLiteral elements: Int...) { self.init(elements) }
}

extension Shape: CustomStringConvertible {
  /// The extents in brackets: `[224, 224, 3]`.
  public var description: String { "[" + dimensions.map(String.init).joined(separator: ", ") + "]" }
}
