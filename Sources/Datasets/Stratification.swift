/// A random division of samples that spreads every class of every task in the same proportion.
///
/// Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label data" (2011): the class with the fewest
/// samples left is dealt out first, each sample to the part that lacks most of that class. With one task every part
/// gets its share of every class to within one sample, and at least one sample wherever the class has as many samples as
/// there are parts.
struct Stratification {
  /// The part of each sample of the pool: a position in the list of shares.
  private(set) var places: [Int]

  /// Divides the samples `pool` of a data set by shares that sum to one; the first part is the one that trains.
  init(_ dataset: Dataset, pool: [Int], shares: [Double], seed: UInt64) {
    var generator = SeededGenerator(seed: seed, SeedPurpose.split.rawValue)
    places = [Int](repeating: -1, count: pool.count)

    // Every class of every task is one list of positions in the pool, in random order.
    var order = Array(pool.indices)
    generator.shuffle(&order)
    let offsets = dataset.tasks.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.classes.count) }
    func classes(_ position: Int) -> [Int] {
      zip(offsets, dataset.samples[pool[position]].labels).compactMap { offset, label in label.map { offset + $0 } }
    }
    var members = [[Int]](repeating: [], count: offsets[offsets.count - 1])
    for position in order {
      for label in classes(position) { members[label].append(position) }
    }
    var lacking = members.map { Stratification.wanted(count: $0.count, shares: shares) }
    var lackingOverall = shares.map { $0 * Double(pool.count) }
    var leftCounts = members.map(\.count)

    func deal(_ position: Int, for label: Int?) {
      var best = 0
      for part in shares.indices.dropFirst() where shares[part] > 0 {
        let gain = label.map { lacking[$0][part] - lacking[$0][best] } ?? 0
        if gain > 1e-9 || (gain > -1e-9 && lackingOverall[part] > lackingOverall[best]) { best = part }
      }
      places[position] = best
      lackingOverall[best] -= 1
      for label in classes(position) {
        lacking[label][best] -= 1
        leftCounts[label] -= 1
      }
    }

    while let rarest = leftCounts.indices.filter({ leftCounts[$0] > 0 }).min(by: { leftCounts[$0] < leftCounts[$1] }) {
      for position in members[rarest] where places[position] < 0 { deal(position, for: rarest) }
    }
    for position in order where places[position] < 0 { deal(position, for: nil) }
    // With several tasks the rare classes of one may have drawn all samples of another away from training.
    for list in members {
      if let first = list.first, !list.contains(where: { places[$0] == 0 }) { places[first] = 0 }
    }
  }

  /// How many samples of a class each part should get: its share, but at least one where there are enough.
  private static func wanted(count: Int, shares: [Double]) -> [Double] {
    var wanted = shares.map { $0 * Double(count) }
    for part in wanted.indices.dropFirst() where shares[part] > 0 && count > part {
      wanted[part] = max(1, wanted[part])
    }
    wanted[0] = max(1, Double(count) - wanted.dropFirst().reduce(0, +))
    return wanted
  }
}
