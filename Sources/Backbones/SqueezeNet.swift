import Graphs
import Tensors

extension BackboneFamily {
  /// Fire modules: few channels by a 1x1 convolution, then many by a 1x1 and a 3x3 convolution side by side.
  ///
  /// Iandola et al., 2016, in version 1.1, which pools earlier. Its classifier is a convolution and a mean.
  public static let squeezeNet11 = BackboneFamily(
    name: "squeezenet1.1", title: "SqueezeNet 1.1", aliases: ["squeezenet"], defaultSize: Size2D(227),
    preprocessing: .caffe, isInKeras: false, parameterCounts: ParameterCounts(722_496, 1_235_496),
    stageEnds: [
      ("stem", "pool1"), ("stage1", "fire3_concat"), ("stage2", "fire5_concat"), ("stage3", "fire9_concat"),
    ], inputName: "input",
    trunk: { (network, x) throws(GraphError) in
      var x = try network.conv(
        x, 64, 3, stride: 2, padding: .valid, bias: true, activation: .relu(), "conv1")
      x = try network.maxPooled(x, 3, stride: 2, "pool1")
      for (index, (squeezed, expanded)) in fires.enumerated() {
        if index == 2 || index == 4 { x = try network.maxPooled(x, 3, stride: 2, "pool\(index + 1)") }
        x = try network.fire(x, squeezed, expanded, "fire\(index + 2)")
      }
      return x
    },
    top: { (network, x, classCount) throws(GraphError) in
      var x = try network.add(Dropout(rate: 0.5), "drop9", to: x)
      x = try network.conv(x, classCount, 1, padding: .valid, bias: true, activation: .relu(), "conv10")
      x = try network.add(GlobalAveragePooling2D(), "avg_pool", to: x)
      return try network.activated(x, .softmax, "predictions")
    })
}

/// The channels of each module: in between, and of each half that comes out.
private let fires = [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)]

extension NetworkBuilder {
  fileprivate mutating func fire(
    _ x: Node, _ squeezed: Int, _ expanded: Int, _ name: String
  ) throws(GraphError) -> Node {
    let x = try conv(x, squeezed, 1, bias: true, activation: .relu(), "\(name)_squeeze1x1")
    let narrow = try conv(x, expanded, 1, bias: true, activation: .relu(), "\(name)_expand1x1")
    let wide = try conv(x, expanded, 3, bias: true, activation: .relu(), "\(name)_expand3x3")
    return try join(Concatenate(), "\(name)_concat", [narrow, wide])
  }
}
