import Tensors

extension Graph {
  /// A network that computes the same, in which the pixels that windows of one by one with strides read stand in a node of
  /// their own where nothing else reads the image.
  ///
  /// What comes before needs to be computed, kept and handed on for those pixels alone. A pooling with windows of one by one
  /// takes them, named after the first of the convolutions and in its stage.
  public func sampledAhead() -> Graph {
    let strides = sampledNodes
    if strides.isEmpty { return self }
    var result = Graph(name: name)
    var places: [Node.ID] = []
    var samples: [Node.ID: Node.ID] = [:]
    result.stages = stages
    do {
      for (index, node) in nodes.enumerated() {
        let inputs = node.inputs.map { places[$0] }
        if let input = layer(of: index) as? Input {
          places.append(try result.addInput(input, named: node.layer))
        } else if result[layer: node.layer] != nil {
          places.append(try result.applyAgain(node.layer, to: inputs))
        } else if let image = node.inputs.first, let taken = strides[image],
          var convolution = layer(of: index) as? Conv2D
        {
          convolution.strides = Size2D(1)
          let sample =
            try samples[image] ?? result.addSample(of: inputs[0], every: taken, for: node.layer, in: self)
          samples[image] = sample
          places.append(try result.apply(convolution, named: node.layer, to: [sample]))
        } else {
          places.append(try result.apply(layer(of: index), named: node.layer, to: inputs))
        }
      }
    } catch {
      preconditionFailure("pixels that fit a window fit it when they are taken before: \(error)")
    }
    result.outputs = outputs.map { places[$0] }
    result.modules = modules.map { module in
      var moved = module
      moved.inputs = module.inputs.map { places[$0] }
      moved.nodes = module.nodes.map { places[$0] }
      moved.outputs = module.outputs.map { places[$0] }
      return moved
    }
    return result
  }

  /// Adds the pixels at certain distances of a node's image, to be read by a layer.
  private mutating func addSample(
    of image: Node.ID, every strides: Size2D, for reader: String, in original: Graph
  ) throws(GraphError) -> Node.ID {
    var name = "\(reader)/sample"
    while original[layer: name] != nil { name += "'" }
    for place in stages.indices {
      guard let position = stages[place].layers.firstIndex(of: reader) else { continue }
      stages[place].layers.insert(name, at: position)
    }
    return try apply(MaxPooling2D(poolSize: Size2D(1), strides: strides), named: name, to: [image])
  }

  /// The images of which windows of one by one read some pixels, all the same ones, and nothing else reads anything, each
  /// with the distances of those pixels.
  private var sampledNodes: [Node.ID: Size2D] {
    var applications: [String: Int] = [:]
    for node in nodes { applications[node.layer, default: 0] += 1 }
    var strides: [Node.ID: Size2D] = [:]
    var others = Set(outputs)
    for (index, node) in nodes.enumerated() {
      for input in node.inputs {
        if let convolution = layer(of: index) as? Conv2D, convolution.kernelSize == Size2D(1),
          convolution.strides != Size2D(1), applications[node.layer] == 1,
          strides[input] == nil || strides[input] == convolution.strides
        {
          strides[input] = convolution.strides
        } else {
          others.insert(input)
        }
      }
    }
    return strides.filter { !others.contains($0.key) && !(layer(of: $0.key) is Input) }
  }
}
