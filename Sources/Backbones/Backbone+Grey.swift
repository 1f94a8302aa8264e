import Graphs
import Tensors

extension Backbone {
  /// The same trunk for grey pictures of one channel.
  ///
  /// The kernels that see the picture first are summed over its channels: a grey picture gives what its copy in three
  /// equal channels gave. Constants of the preprocessing that differ from channel to channel become their mean, so that
  /// this is exact for families that treat all channels alike and near for the others.
  ///
  /// - Throws: `BackboneError.Code.invalidOption` where something other than a plain convolution sees the picture first.
  public func grey() throws(BackboneError) -> Backbone {
    var result = self
    do throws(GraphError) {
      result.graph = try graph.grey()
      let kernels = try graph.kernelsThatSeeThePicture()
      for (path, parameter) in result.graph.parameters {
        guard let tensor = weights[path], tensor.shape != parameter.shape else { continue }
        let axis = kernels.contains(path) ? 2 : 0
        let isSum = axis == 2
        guard let reduced = tensor.reduced(along: axis, toMean: !isSum), reduced.shape == parameter.shape else {
          throw GraphError(
            .unfitParameter, subject: path.description, detail: "expected \(parameter.shape), found \(tensor.shape)")
        }
        result.weights[path] = reduced
      }
    } catch {
      throw BackboneError(.invalidOption, subject: path, detail: error.description)
    }
    return result
  }
}

extension Graph {
  /// The same network for pictures of one channel.
  fileprivate func grey() throws(GraphError) -> Graph {
    let input = try pictureInput()
    var result = Graph(name: name)
    for (index, node) in nodes.enumerated() {
      let layer = layer(of: index)
      if let picture = layer as? Input {
        let shape = picture.shape
        try result.addInput(Input(shape: [shape[0], shape[1], 1], freeAxes: picture.freeAxes), named: node.layer)
      } else if result[layer: node.layer] != nil {
        try result.applyAgain(node.layer, to: node.inputs)
      } else {
        let seesGrey = node.inputs.allSatisfy { result.nodes[$0].outputShape[-1] == 1 }
        try result.apply(seesGrey ? layer.forOneChannel : layer, named: node.layer, to: node.inputs)
      }
    }
    precondition(result.inputs == [input], "the input keeps its place")
    result.outputs = outputs
    result.stages = stages
    result.modules = modules
    return result
  }
}

extension Layer {
  /// The layer with the mean of its constants for three channels in place of each.
  fileprivate var forOneChannel: any Layer {
    func mean(_ values: [Float]) -> [Float] { [values.reduce(0, +) / Float(values.count)] }
    switch self {
    case let layer as Rescaling: return Rescaling(scale: mean(layer.scale), offset: mean(layer.offset))
    case let layer as Normalization:
      guard let statistics = layer.statistics else { return layer }
      return Normalization(
        Normalization.Statistics(mean: mean(statistics.mean), variance: mean(statistics.variance)))
    default: return self
    }
  }
}

extension Tensor {
  /// The sum or the mean along an axis, which keeps an extent of 1; nil for numbers that are not single precision.
  fileprivate func reduced(along axis: Int, toMean isMean: Bool) -> Tensor? {
    guard axis < shape.rank, elementType == .f32 else { return nil }
    let count = shape[axis]
    let inner = shape.dimensions[(axis + 1)...].reduce(1, *)
    let outer = shape.dimensions[..<axis].reduce(1, *)
    var result = shape
    result[axis] = 1
    var sums = [Float](repeating: 0, count: outer * inner)
    withFloats { values in
      for block in 0..<outer {
        for index in 0..<count {
          let start = (block * count + index) * inner
          for place in 0..<inner { sums[block * inner + place] += values[start + place] }
        }
      }
    }
    return Tensor(isMean ? sums.map { $0 / Float(count) } : sums, shape: result)
  }
}
