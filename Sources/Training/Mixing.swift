/// How training samples are mixed with each other.
///
/// What enters the part of the network that trains is mixed: the pictures themselves where everything trains, as Zhang et
/// al. (2018) and Yun et al. (2019) do, and features where the trunk or its first stages are frozen, as Verma et al.
/// (2019) do. So the frozen part still runs once for each picture. Each sample is mixed with the one before it in the
/// order of its epoch, and its loss is that of both labels in the same proportion.
public struct Mixing: Hashable, Sendable, Codable {
  /// MixUp: weighted means of two samples; the α of the Beta(α, α) that their shares are drawn from, nil for none.
  public var mixup: Double?
  /// CutMix: a rectangle of another sample; the α of the Beta(α, α) that the area left is drawn from, nil for none.
  ///
  /// Samples without extent, such as pooled features, are mixed by weighted means instead.
  public var cutmix: Double?

  /// Mixing of one kind, or of both, which then take turns by chance.
  public init(mixup: Double? = nil, cutmix: Double? = nil) {
    self.mixup = mixup
    self.cutmix = cutmix
  }

  /// The values that α may have.
  public static let range = 0.001...4.0

  /// Checks that there is something to mix with, and that each α lies in its range.
  ///
  /// - Throws: ``TrainingError`` with code `invalidOption`.
  public func validate() throws(TrainingError) {
    for (name, alpha) in [("mixup", mixup), ("cutmix", cutmix)] {
      guard let alpha, !Mixing.range.contains(alpha) else { continue }
      throw TrainingError(
        .invalidOption, subject: name,
        detail: "must be from \(Mixing.range.lowerBound) to \(Mixing.range.upperBound), but is \(alpha)")
    }
    if mixup == nil, cutmix == nil {
      throw TrainingError(.invalidOption, subject: "mixing", detail: "names neither mixup nor cutmix")
    }
  }
}
