import Graphs

extension Dense: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let result = program.append(
      DenseOperation(
        name: site.name, input: site.inputs[0], kernel: site.path("kernel"),
        bias: usesBias ? site.path("bias") : nil, inputCount: program.shapes[site.inputs[0]][-1], outputCount: units),
      shape: site.outputShape)
    return program.activate(result, activation, name: site.name)
  }
}
