/// A loss summed over samples, so that parts of a batch or of an epoch add up.
public struct LossValue: Hashable, Sendable, Codable {
  /// The sum of the samples' losses, each times its class's factor.
  public var sum: Double
  /// How many samples carried a label.
  public var count: Int

  /// A sum over so many labelled samples.
  public init(sum: Double = 0, count: Int = 0) {
    self.sum = sum
    self.count = count
  }

  /// The sum divided by the number of labelled samples; zero without any.
  public var mean: Double { count > 0 ? sum / Double(count) : 0 }

  /// Adds the loss of further samples.
  public static func += (left: inout LossValue, right: LossValue) {
    left.sum += right.sum
    left.count += right.count
  }
}
