/// A generator whose numbers follow from its seed alone (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64, input: Int) {
    state = seed &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(input) &* 0xd134_2543_de82_ef95
    for _ in 0..<4 { _ = next() }
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}

/// Damage to the bytes of a file: flipped, cut or spliced.
enum Mutation: CaseIterable {
  /// Single bits, bytes, or numbers that sizes and addresses often overflow at.
  case flip
  /// The end is missing, or a piece in the middle.
  case cut
  /// A piece of another file, or of another place, stands somewhere.
  case splice

  /// The bytes after one to four of these, as the generator has it.
  static func damaged(_ bytes: [UInt8], others: [[UInt8]], by numbers: inout SeededNumbers) -> [UInt8] {
    var result = bytes
    for _ in 0..<(Bool.random(using: &numbers) ? 1 : Int.random(in: 2...4, using: &numbers)) {
      guard !result.isEmpty, let kind = allCases.randomElement(using: &numbers) else { break }
      kind.apply(to: &result, others: others, &numbers)
    }
    return result
  }

  private func apply(to bytes: inout [UInt8], others: [[UInt8]], _ numbers: inout SeededNumbers) {
    switch self {
    case .flip:
      for _ in 0..<Int.random(in: 1...4, using: &numbers) {
        let place = Self.place(in: bytes, &numbers)
        switch Int.random(in: 0..<4, using: &numbers) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
        case 1: bytes[place] = .random(in: 0...255, using: &numbers)
        case 2:
          // Where a number stands, one that is hardly larger is the most treacherous.
          bytes[place] &+= [1, 255, 8, 128].randomElement(using: &numbers) ?? 1
        default:
          let word = Self.edges.randomElement(using: &numbers) ?? 0
          let count = min([1, 2, 4, 8].randomElement(using: &numbers) ?? 8, bytes.count - place)
          for index in 0..<count { bytes[place + index] = UInt8(truncatingIfNeeded: word >> UInt64(8 * index)) }
        }
      }
    case .cut:
      let place = Int.random(in: 0..<bytes.count, using: &numbers)
      let count =
        Bool.random(using: &numbers)
        ? bytes.count - place : min(bytes.count - place, .random(in: 1...64, using: &numbers))
      bytes.removeSubrange(place..<place + count)
    case .splice:
      let other = Bool.random(using: &numbers) ? bytes : others.randomElement(using: &numbers) ?? bytes
      guard !other.isEmpty else { return }
      let from = Int.random(in: 0..<other.count, using: &numbers)
      let count = min(other.count - from, .random(in: 1...512, using: &numbers))
      let to = Int.random(in: 0..<bytes.count, using: &numbers)
      bytes.replaceSubrange(to..<min(bytes.count, to + count), with: other[from..<from + count])
    }
  }

  /// Somewhere; half of the time near the beginning, where the structure of a file begins.
  private static func place(in bytes: [UInt8], _ numbers: inout SeededNumbers) -> Int {
    let end = Bool.random(using: &numbers) ? min(bytes.count, 2048) : bytes.count
    return Int.random(in: 0..<end, using: &numbers)
  }

  private static let edges: [UInt64] = [
    0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000,
    0x3fff_ffff_ffff_ffff, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, 0xffff_ffff_ffff_ffff,
  ]
}
