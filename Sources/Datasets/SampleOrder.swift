/// The order in which an epoch goes through its samples.
public enum SampleOrder {
  /// The given samples in the random order that belongs to a seed and an epoch.
  public static func shuffled(_ samples: [Int], seed: UInt64, epoch: Int) -> [Int] {
    var generator = SeededGenerator(seed: seed, SeedPurpose.order.rawValue, UInt64(bitPattern: Int64(epoch)))
    var order = samples
    generator.shuffle(&order)
    return order
  }
}
