import Graphs

extension Concatenate: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.append(
      ConcatenateOperation(
        name: site.name, inputs: site.inputs, axis: resolvedAxis(rank: site.outputShape.rank)),
      shape: site.outputShape)
  }
}

extension ZeroPadding2D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.append(
      BordersOperation(name: site.name, input: site.inputs[0], insets: padding, crops: false), shape: site.outputShape)
  }
}

extension Cropping2D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.append(
      BordersOperation(name: site.name, input: site.inputs[0], insets: cropping, crops: true), shape: site.outputShape)
  }
}

extension Flatten: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.append(ReshapeOperation(name: site.name, input: site.inputs[0]), shape: site.outputShape)
  }
}

extension Reshape: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.append(ReshapeOperation(name: site.name, input: site.inputs[0]), shape: site.outputShape)
  }
}

extension Permute: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.append(
      PermuteOperation(name: site.name, input: site.inputs[0], order: dimensions.map { $0 - 1 }),
      shape: site.outputShape)
  }
}

extension UpSampling2D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.append(
      ResamplingOperation(name: site.name, input: site.inputs[0], interpolation: interpolation),
      shape: site.outputShape)
  }
}

extension Resizing: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.append(
      ResamplingOperation(name: site.name, input: site.inputs[0], interpolation: interpolation),
      shape: site.outputShape)
  }
}

extension CenterCrop: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let insets = insets(for: program.shapes[site.inputs[0]])
    return program.append(
      BordersOperation(name: site.name, input: site.inputs[0], insets: insets, crops: true), shape: site.outputShape)
  }
}
