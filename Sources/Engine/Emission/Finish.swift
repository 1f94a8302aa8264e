/// Work on the gradients of some parameters that is done once for all lanes and all parts of a batch.
struct Finish {
  /// Where gradients are that are added up before.
  let ranges: [Range<Int>]
  /// Where those are to which it adds the last summand itself, as it goes through them anyway.
  var ownRange = 0..<0
  /// What is done then, with the gradients of the last of several lanes.
  let body: (_ last: UnsafePointer<Float>?) -> Void

  /// How many numbers it goes through.
  var count: Int { ranges.reduce(ownRange.count) { $0 + $1.count } }

  /// What goes through all other gradients, which have only to be added up.
  ///
  /// - Parameters:
  ///   - count: How many numbers there are in all.
  ///   - whole: Where there is nothing to add.
  static func sums(of count: Int, besides finishes: [Finish], and whole: [Range<Int>]) -> [Finish] {
    let largest = 1 << 16
    var result: [Finish] = []
    var start = 0
    let taken = finishes.flatMap { $0.ranges + [$0.ownRange] } + whole
    for range in taken.filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) + [count..<count] {
      while start < range.lowerBound {
        let end = min(start + largest, range.lowerBound)
        result.append(Finish(ranges: [start..<end]) { _ in })
        start = end
      }
      start = max(start, range.upperBound)
    }
    return result
  }
}
