import Graphs
import Tensors

extension Add: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.merge(site) { program, left, right, shape in program.sum(left, right, shape, name: site.name) }
  }
}

extension Multiply: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.merge(site) { program, left, right, shape in
      program.append(MergeOperation(name: site.name, .multiply, left, right), shape: shape)
    }
  }
}

extension Subtract: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.merge(site) { program, left, right, shape in
      program.sum(left, program.scaled(right, by: -1, name: site.name), shape, name: site.name)
    }
  }
}

extension ScaledAdd: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.merge(site) { program, left, right, shape in
      program.sum(left, program.scaled(right, by: scale, name: site.name), shape, name: site.name)
    }
  }
}

extension Average: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let sum = program.merge(site) { program, left, right, shape in program.sum(left, right, shape, name: site.name) }
    return program.scaled(sum, by: 1 / Float(site.inputs.count), name: site.name)
  }
}

extension Maximum: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.extremum(site, isLeast: false)
  }
}

extension Minimum: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.extremum(site, isLeast: true)
  }
}

extension Dot: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    var rows: [Program.ValueID] = []
    for (place, input) in site.inputs.enumerated() {
      let shape = program.shapes[input]
      var axis = axes[min(place, axes.count - 1)]
      if axis < 0 { axis += shape.rank }
      let last = program.permute(input, (0..<shape.rank).filter { $0 != axis } + [axis], name: site.name)
      let count = shape[axis]
      var value = program.reshape(last, to: [shape.elementCount / max(1, count), count], name: site.name)
      if normalizes {
        value = program.append(
          RowNormalizationOperation(
            name: site.name, input: value, columnCount: count, statistics: .length(least: 1e-24), gamma: nil, beta: nil),
          shape: program.shapes[value])
      }
      rows.append(value)
    }
    let shape: Shape = [program.shapes[rows[0]][0], program.shapes[rows[1]][0]]
    let product = program.append(MatrixProductOperation(name: site.name, rows[0], rows[1]), shape: shape)
    return program.reshape(product, to: site.outputShape, name: site.name)
  }
}

extension RepeatVector: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let row = program.reshape(site.inputs[0], to: [1, site.outputShape[1]], name: site.name)
    return program.repeated(row, to: site.outputShape, name: site.name)
  }
}

extension Program {
  /// Two inputs at a time, from the first to the last, with as many axes as the result has.
  fileprivate mutating func merge(
    _ site: LoweringSite, _ body: (inout Program, _ left: ValueID, _ right: ValueID, Shape) -> ValueID
  ) -> ValueID {
    let rank = site.outputShape.rank
    var values: [ValueID] = []
    for input in site.inputs { values.append(reshape(input, to: shapes[input].widened(to: rank), name: site.name)) }
    var result = values[0]
    for value in values.dropFirst() {
      let (a, b) = (shapes[result], shapes[value])
      result = body(&self, result, value, Shape(zip(a.dimensions, b.dimensions).map { $0 == 1 ? $1 : $0 }))
    }
    return result
  }

  fileprivate mutating func sum(_ left: ValueID, _ right: ValueID, _ shape: Shape, name: String) -> ValueID {
    append(MergeOperation(name: name, .add, left, right), shape: shape)
  }

  /// A value times a number.
  mutating func scaled(_ value: ValueID, by factor: Float, name: String) -> ValueID {
    let channels = shapes[value].dimensions.last ?? 1
    return append(
      ChannelAffineOperation(
        name: name, input: value,
        source: .constants(
          scale: Array(repeating: factor, count: channels), shift: Array(repeating: 0, count: channels))),
      shape: shapes[value])
  }

  fileprivate mutating func extremum(_ site: LoweringSite, isLeast: Bool) -> ValueID {
    merge(site) { program, left, right, shape in
      program.append(
        ExtremumOperation(
          name: site.name, program.repeated(left, to: shape, name: site.name),
          program.repeated(right, to: shape, name: site.name), isLeast: isLeast),
        shape: shape)
    }
  }

  /// A value repeated along axes in which it has extent 1.
  fileprivate mutating func repeated(_ value: ValueID, to shape: Shape, name: String) -> ValueID {
    shapes[value] == shape ? value : append(RepeatOperation(name: name, input: value), shape: shape)
  }
}
