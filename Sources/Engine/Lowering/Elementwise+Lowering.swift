import Graphs
import Tensors

extension Activation: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.throughImage(site.inputs[0], name: site.name) { program, value in
      program.activate(value, function, name: site.name)
    }
  }
}

extension Softmax: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let rank = site.outputShape.rank
    let axes = Set(axes.map { $0 < 0 ? $0 + rank : $0 })
    return program.overLastAxes(axes, of: site.inputs[0], name: site.name) { program, value, _ in
      program.activate(value, .softmax, name: site.name)
    }
  }
}

extension PReLU: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let shape = site.outputShape
    let shared = Set(sharedAxes.map { $0 < 0 ? $0 + shape.rank : $0 })
    let own = Set(0..<shape.rank).subtracting(shared)
    return program.overLastAxes(own, of: site.inputs[0], name: site.name) { program, value, count in
      program.append(
        PReLUOperation(name: site.name, input: value, alpha: site.path("alpha"), columnCount: count),
        shape: program.shapes[value])
    }
  }
}
