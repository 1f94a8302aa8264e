import Graphs
import Tensors

extension Graph {
  /// The same network with its family's preprocessing as its first layer, so that it takes RGB of 0…255.
  ///
  /// The layer is a `Rescaling` behind the input, part of the first stage. Where the family wants blue first, the first
  /// kernel has to be turned as well: see `Weights.embed(_:in:)`. Nothing is folded into the convolution, because its zero
  /// padding comes after the preprocessing.
  ///
  /// - Throws: `GraphError.Code.unfitInput` where the network has not exactly one input, an image of three channels.
  public func embedding(_ preprocessing: Preprocessing) throws(GraphError) -> Graph {
    guard let (scale, offset) = preprocessing.linear else { return self }
    let input = try pictureInput()
    var result = Graph(name: name)
    /// Where the output of a node of this graph stands in the result: behind the input it is that of the new layer.
    func moved(_ node: Node.ID) -> Node.ID { node < input ? node : node + 1 }
    let rescaling = uniqueName("rescaling")
    for (index, node) in nodes.enumerated() {
      if let layer = layer(of: index) as? Input {
        let place = try result.addInput(layer, named: node.layer)
        try result.apply(Rescaling(scale: scale, offset: offset), named: rescaling, to: [place])
      } else if result[layer: node.layer] != nil {
        try result.applyAgain(node.layer, to: node.inputs.map(moved))
      } else {
        try result.apply(layer(of: index), named: node.layer, to: node.inputs.map(moved))
      }
    }
    result.outputs = outputs.map(moved)
    result.stages = stages
    if !result.stages.isEmpty { result.stages[0].layers.insert(rescaling, at: 0) }
    result.modules = modules.map { module in
      var module = module
      module.inputs = module.inputs.map(moved)
      module.nodes = module.nodes.map(moved)
      module.outputs = module.outputs.map(moved)
      return module
    }
    return result
  }

  /// The only input, which must be a picture of three channels.
  func pictureInput() throws(GraphError) -> Node.ID {
    guard let input = inputs.first, inputs.count == 1 else {
      throw GraphError(.unfitInput, subject: name, detail: "expected one input, found \(inputs.count)")
    }
    let shape = nodes[input].outputShape
    guard shape.rank == 3, shape[2] == 3 else {
      throw GraphError(
        .unfitInput, subject: nodes[input].layer, detail: "expected pictures [H, W, 3], found inputs of \(shape)")
    }
    return input
  }

  private func uniqueName(_ name: String) -> String {
    var candidate = name
    var number = 1
    while self[layer: candidate] != nil {
      candidate = "\(name)_\(number)"
      number += 1
    }
    return candidate
  }
}

extension Weights {
  /// Turns what `graph`, a network without its preprocessing, does first from blue, green, red to red, green, blue.
  ///
  /// Together with `Graph.embedding(_:)` the network then computes from an RGB picture of 0…255 what it computed from its
  /// preprocessed one, bit for bit the same products in another order. Nothing happens for families that take red first.
  ///
  /// - Throws: `GraphError` with code `unfitInput` where something other than a plain convolution sees the picture's
  ///   channels first, `unfitParameter` where its kernel has no value.
  public mutating func embed(_ preprocessing: Preprocessing, in graph: Graph) throws(GraphError) {
    guard preprocessing.isBlueFirst else { return }
    for path in try graph.kernelsThatSeeThePicture() {
      guard var kernel = tensors[path], kernel.shape.rank == 4, kernel.elementType == .f32 else {
        throw GraphError(.unfitParameter, subject: path.description, detail: "expected an f32 kernel, found none")
      }
      let channels = kernel.shape[2]
      let filters = kernel.shape[3]
      kernel.withMutableFloats { values in
        for position in stride(from: 0, to: values.count, by: channels * filters) {
          for filter in position..<position + filters { values.swapAt(filter, filter + (channels - 1) * filters) }
        }
      }
      tensors[path] = kernel
    }
  }
}

extension Graph {
  /// The kernels of the convolutions that mix the picture's channels, behind layers that leave channels alone.
  func kernelsThatSeeThePicture() throws(GraphError) -> [ParameterPath] {
    var carrying: Set<Node.ID> = [try pictureInput()]
    var result: [ParameterPath] = []
    for (index, node) in nodes.enumerated() where node.inputs.contains(where: carrying.contains) {
      switch layer(of: index) {
      case is ZeroPadding2D, is Cropping2D, is UpSampling2D, is MaxPooling2D, is AveragePooling2D, is Dropout,
        is Rescaling, is Normalization:
        carrying.insert(index)
      case let conv as Conv2D where conv.groups == 1:
        let path = ParameterPath(node.layer, "kernel")
        if !result.contains(path) { result.append(path) }
      case let layer:
        throw GraphError(
          .unfitInput, subject: node.layer,
          detail: "expected a convolution to see the picture first, found \(type(of: layer).kind)")
      }
    }
    return result
  }
}
