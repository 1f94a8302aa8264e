/// Random numbers that a seed determines wholly, on every platform and with every version of the standard library.
///
/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014): SplitMix64. A generator is made for
/// one purpose from all that identifies it (seed, epoch, sample …), so that no draw depends on what was drawn before it
/// or on which thread draws first.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The generator that belongs to a seed and a path of further numbers, such as the epoch and the sample.
  package init(seed: UInt64, _ path: UInt64...) {
    state = SeededGenerator.mixed(seed)
    for step in path { state = SeededGenerator.mixed(state ^ SeededGenerator.mixed(step &+ SeededGenerator.increment)) }
  }

  /// The next 64 random bits.
  package mutating func next() -> UInt64 {
    state &+= SeededGenerator.increment
    return SeededGenerator.mixed(state)
  }

  /// A number in `[0, 1)`, a multiple of 2⁻⁵³.
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number in the given range.
  package mutating func value(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * unit()
  }

  /// A whole number in `0..<bound`, each as likely as the others.
  package mutating func index(below bound: Int) -> Int {
    precondition(bound > 0, "a draw needs at least one outcome")
    // Lemire's method: the high half of a product, with the few draws that would favour some outcomes thrown away.
    let bound = UInt64(bound)
    let threshold = (0 &- bound) % bound
    while true {
      let product = next().multipliedFullWidth(by: bound)
      if product.low >= threshold { return Int(product.high) }
    }
  }

  /// Puts the elements into a random order, each order as likely as the others.
  package mutating func shuffle<Element>(_ elements: inout [Element]) {
    for last in stride(from: elements.count - 1, to: 0, by: -1) { elements.swapAt(last, index(below: last + 1)) }
  }

  private static let increment: UInt64 = 0x9e37_79b9_7f4a_7c15

  private static func mixed(_ value: UInt64) -> UInt64 {
    var bits = value
    bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
    return bits ^ (bits >> 31)
  }
}

/// What random numbers are drawn for: the first step of a generator's path, so that no two purposes share a sequence.
enum SeedPurpose: UInt64 {
  case split = 1
  case order = 2
  case augmentation = 3
}
