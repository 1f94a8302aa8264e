import Foundation
import Graphs
import Tensors

extension BackboneFamily {
  /// The widths of MobileNet that weights were published for.
  public static let mobileNetWidths: [Double] = [1, 0.75, 0.5, 0.25]

  /// Depthwise and 1x1 convolutions in turn, every channel count multiplied by `alpha`.
  ///
  /// Howard et al., 2017.
  public static func mobileNet(alpha: Double) -> BackboneFamily {
    let two = twoDigits(alpha)
    return BackboneFamily(
      name: widthName("mobilenet", alpha), title: widthTitle("MobileNet", alpha),
      aliases: widthAliases("mobilenet", alpha) + widthAliases("mobilenetv1", alpha), defaultSize: Size2D(224),
      preprocessing: .tf, kerasCall: widthCall("MobileNet", alpha),
      parameterCounts: publishedCounts[alpha],
      stageEnds: [
        ("stem", "conv1_relu"), ("stage1", "conv_pw_1_relu"), ("stage2", "conv_pw_3_relu"),
        ("stage3", "conv_pw_5_relu"), ("stage4", "conv_pw_11_relu"), ("stage5", "conv_pw_13_relu"),
      ],
      graphName: { "mobilenet_\(two)_\($0.height)" },
      trunk: { (network, x) throws(GraphError) in
        var x = try network.conv(x, Int(32 * alpha), 3, stride: 2, "conv1")
        x = try network.normalized(x, "conv1_bn")
        x = try network.activated(x, .relu(maxValue: 6), "conv1_relu")
        let blocks =
          [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
          + Array(repeating: (512, 1), count: 5) + [(1024, 2), (1024, 1)]
        for (index, (filters, stride)) in blocks.enumerated() {
          x = try network.depthwiseBlock(x, Int(Double(filters) * alpha), stride: stride, number: index + 1)
        }
        return x
      },
      top: { (network, x, classCount) throws(GraphError) in
        var x = try network.add(
          GlobalAveragePooling2D(keepsAxes: true), network.numbered("global_average_pooling2d"), to: x)
        x = try network.add(Dropout(rate: 1e-3), "dropout", to: x)
        x = try network.conv(x, classCount, 1, bias: true, "conv_preds")
        x = try network.add(Reshape(targetShape: [classCount]), "reshape_2", to: x)
        return try network.activated(x, .softmax, "predictions")
      })
  }
}

private let publishedCounts: [Double: BackboneFamily.ParameterCounts] = [
  1: .init(3_228_864, 4_253_864), 0.75: .init(1_832_976, 2_601_976), 0.5: .init(829_536, 1_342_536),
  0.25: .init(218_544, 475_544),
]

extension NetworkBuilder {
  /// A depthwise and a 1x1 convolution, both normalised and cut to 0…6.
  fileprivate mutating func depthwiseBlock(
    _ x: Node, _ filters: Int, stride: Int, number: Int
  ) throws(GraphError) -> Node {
    var x = x
    if stride == 2 {
      let padding = ZeroPadding2D(padding: Insets2D(bottom: 1, right: 1))
      x = try add(padding, "conv_pad_\(number)", to: x)
    }
    x = try depthwise(x, 3, stride: stride, padding: stride == 1 ? .same : .valid, "conv_dw_\(number)")
    x = try normalized(x, "conv_dw_\(number)_bn")
    x = try activated(x, .relu(maxValue: 6), "conv_dw_\(number)_relu")
    x = try conv(x, filters, 1, "conv_pw_\(number)")
    x = try normalized(x, "conv_pw_\(number)_bn")
    return try activated(x, .relu(maxValue: 6), "conv_pw_\(number)_relu")
  }
}
