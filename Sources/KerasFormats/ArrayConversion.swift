import Tensors

/// How an array as an older Keras stored it becomes a parameter.
struct ArrayConversion: Hashable {
  /// The extents that the array's elements are seen in; as many elements as the array has.
  var view: Shape
  /// The axes of the view in their new order.
  var order: [Int]
  /// The new axes along which the elements come in reverse.
  var reversed: Set<Int> = []
  /// The extents of the parameter.
  var result: Shape

  /// The array as it is.
  init(keeping shape: Shape, reversed: Set<Int> = []) {
    view = shape
    order = Array(0..<shape.rank)
    self.reversed = reversed
    result = shape
  }

  /// The array with its axes in another order; nil unless that gives the wanted extents.
  init?(_ view: Shape, order: [Int], into result: Shape) {
    var moved = order.map { view[$0] }
    // A kernel along one axis was once stored with a second axis of one element.
    if moved.count == result.rank + 1, moved[1] == 1 { moved.remove(at: 1) }
    guard moved == result.dimensions else { return nil }
    self.view = view
    self.order = order
    self.result = result
  }

  /// The rows behind an image `[H, W, C]` that were stored as if it were `[C, H, W]`.
  init(rowsBehind image: Shape, of stored: Shape) {
    view = Shape([image[2], image[0], image[1], stored[1]])
    order = [1, 2, 0, 3]
    result = stored
  }

  /// Whether nothing happens to the elements.
  var isIdentity: Bool { order == Array(0..<order.count) && reversed.allSatisfy { view[order[$0]] <= 1 } }

  /// The parameter's elements.
  func applied(to tensor: Tensor) -> Tensor {
    if isIdentity { return tensor.reshaped(to: result) }
    var strides = [Int](repeating: 1, count: view.rank)
    for axis in stride(from: view.rank - 2, through: 0, by: -1) { strides[axis] = strides[axis + 1] * view[axis + 1] }
    let extents = order.map { view[$0] }
    var steps = order.map { strides[$0] }
    var start = 0
    for axis in reversed {
      start += (extents[axis] - 1) * steps[axis]
      steps[axis] = -steps[axis]
    }
    var moved = Tensor(zeros: result)
    guard moved.elementCount > 0, let last = extents.indices.last else { return moved }
    tensor.withFloats { source in
      moved.withMutableFloats { target in
        // The innermost axis runs in a loop of its own, the others count like an odometer.
        var place = [Int](repeating: 0, count: extents.count)
        var from = start
        var to = 0
        let (length, step) = (extents[last], steps[last])
        while to < target.count {
          if step == 1 {
            _ = UnsafeMutableBufferPointer(rebasing: target[to..<to + length]).update(
              fromContentsOf: source[from..<from + length])
          } else {
            for index in 0..<length { target[to + index] = source[from + index * step] }
          }
          to += length
          var axis = last - 1
          while axis >= 0 {
            place[axis] += 1
            from += steps[axis]
            if place[axis] < extents[axis] { break }
            from -= steps[axis] * extents[axis]
            place[axis] = 0
            axis -= 1
          }
        }
      }
    }
    return moved
  }
}
