import Graphs
import Tensors

extension Identity: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    site.inputs[0]
  }
}

extension Dropout: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    guard site.isTraining, rate > 0 else { return site.inputs[0] }
    return program.append(
      DropoutOperation(
        name: site.name, input: site.inputs[0], rate: rate, unit: dropsWholeImages ? .sample : .element),
      shape: site.outputShape)
  }
}

extension SpatialDropout2D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    guard site.isTraining, rate > 0 else { return site.inputs[0] }
    return program.append(
      DropoutOperation(name: site.name, input: site.inputs[0], rate: rate, unit: .channel), shape: site.outputShape)
  }
}

extension GaussianNoise: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.noise(site, .added, deviation)
  }
}

extension GaussianDropout: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.noise(site, .multiplied, rate)
  }
}

extension AlphaDropout: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.noise(site, .alpha, rate)
  }
}

extension Program {
  /// Noise where the layer is being trained, and nothing elsewhere.
  fileprivate mutating func noise(_ site: LoweringSite, _ kind: NoiseOperation.Kind, _ amount: Float) -> ValueID {
    guard site.isTraining, amount > 0 else { return site.inputs[0] }
    return append(
      NoiseOperation(name: site.name, input: site.inputs[0], kind, amount: amount), shape: site.outputShape)
  }
}
