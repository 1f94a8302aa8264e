import Tensors

extension Weights {
  /// Weights for every parameter of a graph, made from nothing but the paths.
  ///
  /// For tests and benchmarks, where a network has to compute something definite without a file. With h the 64-bit FNV-1a
  /// hash of the path, element i is made of u = SplitMix64(h + (i + 1)·0x9E3779B97F4A7C15) / 2⁶⁴, 24 bits of it, in
  /// 0…1: kernels (2u − 1)·√(6 / fanIn), so that a ReLU network neither dies nor explodes; gamma and variances 0.5 + u;
  /// everything else (2u − 1)·0.1.
  public static func generated(for graph: Graph) -> Weights {
    var weights = Weights()
    for (path, parameter) in graph.parameters {
      let (factor, summand): (Double, Double) =
        switch parameter.role {
        case .kernel(let fanIn, _): (2 * (6 / Double(fanIn)).squareRoot(), -(6 / Double(fanIn)).squareRoot())
        case .gamma, .variance: (1, 0.5)
        case .bias, .beta, .mean, .count: (0.2, -0.1)
        }
      weights[path] = Tensor(generatedFor: path.description, shape: parameter.shape, factor: factor, summand: summand)
    }
    return weights
  }

  /// Fresh weights for the named layers of a graph: kernels uniform by Glorot's rule, biases and shifts zero, scales one.
  ///
  /// Each parameter draws from its own stream of the seed, so that the order of layers does not matter. Glorot and
  /// Bengio, 2010.
  public static func initial(for graph: Graph, layers: [String], seed: UInt64) -> Weights {
    var weights = Weights()
    for layer in layers {
      for parameter in graph.parameters(of: layer) {
        let path = ParameterPath(layer, parameter.name)
        switch parameter.role {
        case .kernel(let fanIn, let fanOut):
          let limit = (6 / Double(fanIn + fanOut)).squareRoot()
          weights[path] = Tensor(
            generatedFor: "\(seed)/\(path)", shape: parameter.shape, factor: 2 * limit, summand: -limit)
        case .gamma, .variance:
          weights[path] = Tensor(
            Array(repeating: 1, count: parameter.shape.elementCount), shape: parameter.shape)
        case .bias, .beta, .mean, .count: weights[path] = Tensor(zeros: parameter.shape)
        }
      }
    }
    return weights
  }
}

extension Tensor {
  /// Numbers u·factor + summand, with u in 0…1 made from a name as in `Weights.generated`.
  package init(generatedFor name: String, shape: Shape, factor: Double, summand: Double) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    self.init(zeros: shape)
    withMutableFloats { values in
      for index in values.indices {
        hash &+= 0x9e37_79b9_7f4a_7c15
        var bits = hash
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        bits ^= bits >> 31
        values[index] = Float(Double(bits >> 40) * 0x1p-24 * factor + summand)
      }
    }
  }
}
