import Graphs
import Tensors

extension Slicing: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let input = program.shapes[site.inputs[0]]
    guard let places = try? resolved(rank: input.rank) else {
      preconditionFailure("a node of a graph has axes that fit its input")
    }
    var value = site.inputs[0]
    for (axis, places) in places.sorted(by: { $0.key < $1.key }) {
      let (start, step, count) = Slicing.progression(places, in: input[axis])
      if (start, step, count) == (0, 1, input[axis]) { continue }
      var shape = program.shapes[value]
      shape[axis] = count
      value = program.append(
        SlicingOperation(name: site.name, input: value, axis: axis, places: (start, step)), shape: shape)
    }
    return program.reshape(value, to: site.outputShape, name: site.name)
  }
}

extension Stack: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let axis = resolvedAxis(rank: site.outputShape.rank)
    var layer = site.outputShape
    layer[axis] = 1
    let layers = site.inputs.map { program.reshape($0, to: layer, name: site.name) }
    guard layers.count > 1 else { return layers[0] }
    return program.append(
      ConcatenateOperation(name: site.name, inputs: layers, axis: axis), shape: site.outputShape)
  }
}

extension Reduction: Lowerable {
  /// The axes that are reduced become the pixels of an image, all others its channels.
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let shape = program.shapes[site.inputs[0]]
    let axes = Set(axes.map { $0 < 0 ? $0 + shape.rank : $0 })
    let others = (0..<shape.rank).filter { !axes.contains($0) }
    let pixelCount = axes.reduce(1) { $0 * shape[$1] }
    let channelCount = others.reduce(1) { $0 * shape[$1] }
    let moved = program.permute(site.inputs[0], axes.sorted() + others, name: site.name)
    var value = program.reshape(moved, to: [pixelCount, 1, channelCount], name: site.name)
    // The smallest number is the largest of the negated ones, negated.
    if way == .minimum { value = program.scaled(value, by: -1, name: site.name) }
    let takesMean = way == .mean || way == .sum
    value = program.append(
      GlobalPoolingOperation(name: site.name, input: value, takesMean ? .average : .maximum), shape: [channelCount])
    if way == .minimum { value = program.scaled(value, by: -1, name: site.name) }
    if way == .sum { value = program.scaled(value, by: Float(pixelCount), name: site.name) }
    return program.reshape(value, to: site.outputShape, name: site.name)
  }
}
