/// Work on the gradients of some parameters that is done once for all lanes and all parts of a batch.
struct Finish {
  /// Where those gradients are.
  let ranges: [Range<Int>]
  /// What is done once they have been added up.
  let body: () -> Void

  /// How many numbers it goes through.
  var count: Int { ranges.reduce(0) { $0 + $1.count } }

  /// What goes through all other gradients, which have only to be added up.
  ///
  /// - Parameter count: How many numbers there are in all.
  static func sums(of count: Int, besides finishes: [Finish]) -> [Finish] {
    let largest = 1 << 16
    var result: [Finish] = []
    var start = 0
    for range in finishes.flatMap(\.ranges).sorted(by: { $0.lowerBound < $1.lowerBound }) + [count..<count] {
      while start < range.lowerBound {
        let end = min(start + largest, range.lowerBound)
        result.append(Finish(ranges: [start..<end]) {})
        start = end
      }
      start = max(start, range.upperBound)
    }
    return result
  }
}

extension [Finish] {
  /// The work of each of some threads, about as much for one as for another.
  func shared(among threadCount: Int) -> [[Finish]] {
    var shares = [(count: Int, work: [Finish])](repeating: (0, []), count: threadCount)
    for finish in sorted(by: { $0.count > $1.count }) {
      guard let least = shares.indices.min(by: { shares[$0].count < shares[$1].count }) else { break }
      shares[least].count += finish.count
      shares[least].work.append(finish)
    }
    return shares.map(\.work)
  }
}
