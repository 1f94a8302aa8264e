import Graphs
import Tensors

extension Program {
  /// A sequence as an image of one row: the one that it came from, where it was one before.
  mutating func image(of sequence: ValueID, name: String) -> ValueID {
    let shape = shapes[sequence]
    if let image = imageBehind(sequence) { return image }
    return reshape(sequence, to: [1, shape[0], shape[1]], name: name)
  }

  /// The image of one row that a sequence was made of; nil where it was made of something else.
  private func imageBehind(_ sequence: ValueID) -> ValueID? {
    let shape = shapes[sequence]
    guard shape.rank == 2, let maker = operations.last(where: { $0.output == sequence }) as? ReshapeOperation,
      shapes[maker.inputs[0]] == [1, shape[0], shape[1]]
    else { return nil }
    return maker.inputs[0]
  }

  /// Applies what keeps the shape to the image behind a sequence, so that it can be fused with what made the image; to
  /// anything else as it is.
  mutating func throughImage(
    _ value: ValueID, name: String, _ body: (inout Program, ValueID) -> ValueID
  ) -> ValueID {
    guard let image = imageBehind(value) else { return body(&self, value) }
    return reshape(body(&self, image), to: shapes[value], name: name)
  }

  /// Computes a layer of sequences as the layer of images that does the same.
  fileprivate mutating func lower(
    _ layer: any SequenceLayer, _ site: LoweringSite, _ image: ValueID? = nil
  ) throws(EngineError) -> ValueID {
    guard let planar = layer.planar as? any Lowerable else {
      preconditionFailure("a layer of sequences has one of images that the engine computes")
    }
    let row = image ?? self.image(of: site.inputs[0], name: site.name)
    var shape = site.outputShape
    if let output = try? layer.planar.outputShape(for: [shapes[row]]) { shape = output }
    let result = try planar.lower(
      LoweringSite(
        name: site.name, inputs: [row], outputShape: shape, isTraining: site.isTraining,
        usesBatchStatistics: site.usesBatchStatistics), into: &self)
    return reshape(result, to: site.outputShape, name: site.name)
  }
}

extension Conv1D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    guard padding == .causal, kernelSize > 1 else { return try program.lower(self, site) }
    let row = program.image(of: site.inputs[0], name: site.name)
    let shape = program.shapes[row]
    let padded = program.append(
      BordersOperation(name: site.name, input: row, insets: causalInsets, crops: false),
      shape: [1, shape[1] + causalInsets.left, shape[2]])
    return try program.lower(self, site, padded)
  }
}

extension Conv1DTranspose: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    try program.lower(self, site)
  }
}

extension DepthwiseConv1D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    try program.lower(self, site)
  }
}

extension SeparableConv1D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    try program.lower(self, site)
  }
}

extension MaxPooling1D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    try program.lower(self, site)
  }
}

extension AveragePooling1D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    try program.lower(self, site)
  }
}

extension GlobalAveragePooling1D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    try program.lower(self, site)
  }
}

extension GlobalMaxPooling1D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    try program.lower(self, site)
  }
}

extension ZeroPadding1D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    try program.lower(self, site)
  }
}

extension Cropping1D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    try program.lower(self, site)
  }
}

extension UpSampling1D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    try program.lower(self, site)
  }
}

extension SpatialDropout1D: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    try program.lower(self, site)
  }
}
