import Graphs
import Tensors

extension BackboneFamily {
  /// Sixteen layers of 3x3 convolutions and dense layers.
  public static let vgg16 = vgg(depths: [2, 2, 3, 3, 3], counts: ParameterCounts(14_714_688, 138_357_544))
  /// Nineteen layers of 3x3 convolutions and dense layers.
  public static let vgg19 = vgg(depths: [2, 2, 4, 4, 4], counts: ParameterCounts(20_024_384, 143_667_240))

  /// 3x3 convolutions in five blocks, each half as large as the one before.
  ///
  /// Simonyan and Zisserman, 2015.
  private static func vgg(depths: [Int], counts: ParameterCounts) -> BackboneFamily {
    let layerCount = depths.reduce(3, +)
    return BackboneFamily(
      name: "vgg\(layerCount)", title: "VGG\(layerCount)", defaultSize: Size2D(224), preprocessing: .caffe,
      parameterCounts: counts, stageEnds: (1...5).map { ("stage\($0)", "block\($0)_pool") },
      trunk: { (network, x) throws(GraphError) in
        var x = x
        for (block, (depth, filters)) in zip(depths, [64, 128, 256, 512, 512]).enumerated() {
          for index in 1...depth {
            x = try network.conv(x, filters, 3, bias: true, activation: .relu(), "block\(block + 1)_conv\(index)")
          }
          x = try network.maxPooled(x, 2, stride: 2, "block\(block + 1)_pool")
        }
        return x
      },
      top: { (network, x, classCount) throws(GraphError) in
        var x = try network.add(Flatten(), "flatten", to: x)
        for name in ["fc1", "fc2"] { x = try network.add(Dense(units: 4096, activation: .relu()), name, to: x) }
        return try network.add(Dense(units: classCount, activation: .softmax), "predictions", to: x)
      })
  }
}
