import Graphs
import Tensors

extension Activation: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.activate(site.inputs[0], function, name: site.name)
  }
}

extension Dropout: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    guard site.isTraining, rate > 0 else { return site.inputs[0] }
    return program.append(
      DropoutOperation(name: site.name, input: site.inputs[0], rate: rate, dropsSamples: dropsWholeImages),
      shape: site.outputShape)
  }
}

extension Add: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.merge(site, .add)
  }
}

extension Multiply: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.merge(site, .multiply)
  }
}

extension ScaledAdd: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let channels = program.shapes[site.inputs[1]].dimensions.last ?? 1
    let scaled = program.append(
      ChannelAffineOperation(
        name: site.name, input: site.inputs[1],
        source: .constants(
          scale: Array(repeating: scale, count: channels), shift: Array(repeating: 0, count: channels))),
      shape: program.shapes[site.inputs[1]])
    return program.append(
      MergeOperation(name: site.name, .add, site.inputs[0], scaled), shape: site.outputShape)
  }
}

extension Program {
  /// Two inputs at a time, from the first to the last.
  fileprivate mutating func merge(_ site: LoweringSite, _ kind: MergeOperation.Kind) -> ValueID {
    site.inputs.dropFirst().reduce(site.inputs[0]) { left, right in
      let (a, b) = (shapes[left], shapes[right])
      let shape = Shape(zip(a.dimensions, b.dimensions).map { $0 == 1 ? $1 : $0 })
      return append(MergeOperation(name: site.name, kind, left, right), shape: shape)
    }
  }
}
