/// What a family does to an RGB picture of 0…255 before its first convolution.
public enum Preprocessing: String, Hashable, Sendable, Codable, CaseIterable {
  /// Blue, green, red, each minus its mean over ImageNet: VGG and the first ResNets.
  case caffe
  /// x / 127.5 − 1: Inception, Xception, MobileNet and the second ResNets.
  case tf
  /// x / 255, minus the mean and divided by the deviation of each channel over ImageNet: DenseNet.
  case torch
  /// Nothing from outside; the network begins with layers of its own that do it.
  case insideModel

  /// Whether the family's weight files expect blue first.
  public var isBlueFirst: Bool { self == .caffe }

  /// y = scale·x + offset for red, green and blue, or for all three alike; nil where there is nothing to do.
  ///
  /// The means of `caffe` are given for red, green, blue, since its kernels are turned and not its pictures.
  package var linear: (scale: [Float], offset: [Float])? {
    switch self {
    case .caffe: return (scale: [1], offset: [-123.68, -116.779, -103.939])
    case .tf: return (scale: [1 / 127.5], offset: [-1])
    case .torch:
      let deviations = [0.229, 0.224, 0.225]
      let means = [0.485, 0.456, 0.406]
      return (
        scale: deviations.map { Float(1 / (255 * $0)) },
        offset: zip(means, deviations).map { Float(-$0 / $1) }
      )
    case .insideModel: return nil
    }
  }
}
