import Graphs
import Tensors

extension Program {
  /// Applies an operation over some axes of a value, which are brought to the end for it and back again.
  ///
  /// - Parameters:
  ///   - axes: the axes, counted from the first.
  ///   - body: adds an operation that keeps the shape of a value whose last axis is all those in one.
  mutating func overLastAxes(
    _ axes: Set<Int>, of value: ValueID, name: String, _ body: (inout Program, ValueID, _ count: Int) -> ValueID
  ) -> ValueID {
    let shape = shapes[value]
    let count = axes.reduce(1) { $0 * shape[$1] }
    let others = (0..<shape.rank).filter { !axes.contains($0) }
    let order = others + axes.sorted()
    let last = permute(value, order, name: name)
    let rows = axes.count == 1 ? last : reshape(last, to: Shape(others.map { shape[$0] } + [count]), name: name)
    let result = reshape(body(&self, rows, count), to: shapes[last], name: name)
    let back = order.indices.map { axis in order.firstIndex(of: axis) ?? axis }
    return permute(result, back, name: name)
  }

  /// The axes of a value in another order: for each axis of the result that of the value.
  mutating func permute(_ value: ValueID, _ order: [Int], name: String) -> ValueID {
    let shape = shapes[value]
    let result = Shape(order.map { shape[$0] })
    if order == Array(order.indices) { return value }
    // Where only axes of extent 1 change places the numbers stay where they are.
    if order.filter({ shape[$0] != 1 }) == order.indices.filter({ shape[$0] != 1 }) {
      return reshape(value, to: result, name: name)
    }
    return append(PermuteOperation(name: name, input: value, order: order), shape: result)
  }

  /// The same numbers in the same order under another shape.
  mutating func reshape(_ value: ValueID, to shape: Shape, name: String) -> ValueID {
    shapes[value] == shape ? value : append(ReshapeOperation(name: name, input: value), shape: shape)
  }
}
