extension [String] {
  /// The names that take the fewest edits to become the given one, nearest first; letter case does not count.
  package func nearest(to name: String, count: Int = 3) -> [String] {
    let wanted = name.comparisonBytes
    let distances = enumerated().map { ($1.comparisonBytes, $0) }.map { (editDistance(wanted, $0), $1) }
    return distances.sorted { $0 < $1 }.prefix(count).map { self[$0.1] }
  }
}

extension String {
  fileprivate var comparisonBytes: [UInt8] { [UInt8](lowercased().utf8.prefix(200)) }
}

/// The least number of bytes to insert, delete or replace: Levenshtein, 1966.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
  var row = Array(0...right.count)
  for (i, a) in left.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, b) in right.enumerated() {
      let replaced = diagonal + (a == b ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = Swift.min(replaced, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[right.count]
}
