import Graphs

extension MaxPooling2D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let input = program.shapes[site.inputs[0]]
    return program.append(
      PoolingOperation(
        name: site.name, input: site.inputs[0], .maximum, window: window,
        insets: window.insets(for: Size2D(input[0], input[1]))),
      shape: site.outputShape)
  }
}

extension AveragePooling2D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let input = program.shapes[site.inputs[0]]
    return program.append(
      PoolingOperation(
        name: site.name, input: site.inputs[0], .average, window: window,
        insets: window.insets(for: Size2D(input[0], input[1]))),
      shape: site.outputShape)
  }
}

extension GlobalAveragePooling2D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.append(
      GlobalPoolingOperation(name: site.name, input: site.inputs[0], .average), shape: site.outputShape)
  }
}

extension GlobalMaxPooling2D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.append(
      GlobalPoolingOperation(name: site.name, input: site.inputs[0], .maximum), shape: site.outputShape)
  }
}
