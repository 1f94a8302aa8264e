import Graphs
import Tensors

/// Finds the layers of a network among those of a model of a class of its own, by the shapes of their arrays.
///
/// Such a file lists its layers by the attributes of a Python object, in alphabetical order and under names that mean
/// nothing outside of it. But layers whose arrays have the same shapes stand in the order of their numbers, so where a
/// file has as many of a kind as the network, there is one way to pair them.
struct ShapeMatcher {
  private let stored: [StoredLayer]
  private let expected: [ExpectedLayer]
  private let dialect: WeightDialect

  init(stored: [StoredLayer], expected: [ExpectedLayer], dialect: WeightDialect) {
    // A legacy file lists all arrays of a nested network in one layer; expected nested networks are taken apart too.
    self.stored = stored.flatMap(\.single).sorted { $0.place.isNaturallyBefore($1.place) }
    self.expected = expected.flatMap(\.single)
    self.dialect = dialect
  }

  /// Layers of the file beside those of the network, then those that belong to nothing.
  ///
  /// - Throws: ``WeightError`` with `unfitWeights` where the file has more layers of a shape than the network, and their
  ///   names do not tell which are meant.
  func pairs() throws(WeightError) -> [WeightMatcher.Pair] {
    var candidates: [Int: [Int]] = [:]
    var kinds: [[Shape]] = []
    var members: [[Int]] = []
    for (index, layer) in expected.enumerated() {
      let shapes = layer.parameters.map(\.shape)
      if let kind = kinds.firstIndex(of: shapes) {
        members[kind].append(index)
      } else {
        kinds.append(shapes)
        members.append([index])
      }
    }
    for kind in kinds.indices {
      let wanted = expected[members[kind][0]].parameters
      candidates[kind] = stored.indices.filter { fits(stored[$0], wanted) }
    }
    var result: [WeightMatcher.Pair] = []
    var used: Set<Int> = []
    for kind in kinds.indices {
      var found = candidates[kind] ?? []
      let wanted = members[kind]
      if found.count > wanted.count {
        let names = Set(wanted.map { expected[$0].name.lastComponent })
        let named = found.filter { stored[$0].name.map { names.contains($0.lastComponent) } ?? false }
        guard named.count == wanted.count else { throw ambiguity(found, wanted) }
        found = named
      }
      for (position, index) in wanted.enumerated() {
        let partner = position < found.count ? found[position] : nil
        if let partner { used.insert(partner) }
        result.append((partner.map { stored[$0] }, expected[index]))
      }
    }
    let places = Dictionary(
      expected.enumerated().map { ($1.parameters[0].path.layer, $0) }, uniquingKeysWith: { first, _ in first })
    result.sort { left, right in
      func place(_ pair: WeightMatcher.Pair) -> Int {
        pair.expected.flatMap { places[$0.parameters[0].path.layer] } ?? .max
      }
      return place(left) < place(right)
    }
    return result + stored.indices.filter { !used.contains($0) }.map { (stored[$0], nil) }
  }

  /// A sentence about each of the first layers that the file calls by the name of another layer of the network.
  func contradictions(in plan: WeightPlan) -> [String] {
    let known = Set(expected.map(\.name.lastComponent))
    var names: [String: Substring] = [:]
    for layer in stored {
      for array in layer.arrays { names[array.dataset.path] = layer.name?.lastComponent }
    }
    var warnings: [String] = []
    var seen: Set<String> = []
    for pair in plan.pairs where seen.insert(pair.path.layer).inserted && warnings.count < 3 {
      guard let name = names[pair.dataset.path], known.contains(name), name != pair.path.layer.lastComponent else {
        continue
      }
      warnings.append("\(pair.path.layer) got the arrays that the file calls \(name).")
    }
    return warnings
  }

  private func fits(_ layer: StoredLayer, _ parameters: [ExpectedParameter]) -> Bool {
    layer.arrays.count == parameters.count
      && zip(layer.arrays, parameters).allSatisfy { dialect.conversion(from: $0.dataset.shape, to: $1) != nil }
  }

  private func ambiguity(_ found: [Int], _ wanted: [Int]) -> WeightError {
    let layer = expected[wanted[0]]
    let shapes = layer.parameters.map { "\($0.shape)" }.joined(separator: " and ")
    return WeightError(
      .unfitWeights,
      detail: "leaves a choice: the network has \(wanted.count) layers with arrays of \(shapes) "
        + "(\(LoadReport.list(wanted.map { expected[$0].name }))), but the file has \(found.count) "
        + "(\(LoadReport.list(found.map { stored[$0].name ?? stored[$0].place }, showing: 5)))")
  }
}

extension StoredLayer {
  /// The layer, or the layers that it is made of: arrays that share all of their name but the last part.
  fileprivate var single: [StoredLayer] {
    var owners: [Substring] = []
    var parts: [Substring: [StoredLayer.Array]] = [:]
    for array in arrays {
      let owner = array.name.lastIndex(of: "/").map { array.name[..<$0] } ?? ""
      if parts[owner] == nil { owners.append(owner) }
      parts[owner, default: []].append(array)
    }
    guard owners.count > 1 else { return [self] }
    // The numbers keep the layers of one list in its order.
    return owners.enumerated().map { number, owner in
      StoredLayer(name: owner.isEmpty ? name : String(owner), place: "\(place)/\(number)", arrays: parts[owner] ?? [])
    }
  }
}

extension ExpectedLayer {
  /// The layer, or the layers that it is made of.
  fileprivate var single: [ExpectedLayer] {
    var owners: [String] = []
    var parts: [String: [ExpectedParameter]] = [:]
    for parameter in parameters {
      if parts[parameter.path.layer] == nil { owners.append(parameter.path.layer) }
      parts[parameter.path.layer, default: []].append(parameter)
    }
    guard owners.count > 1 else { return [self] }
    return owners.map { ExpectedLayer(name: $0, place: place, parameters: parts[$0] ?? []) }
  }
}

extension String {
  /// What follows the last slash.
  fileprivate var lastComponent: Substring { split(separator: "/").last ?? "" }

  /// Whether this comes before another name if runs of digits count as numbers: `conv2d_2` before `conv2d_10`.
  fileprivate func isNaturallyBefore(_ other: String) -> Bool {
    var left = Array(utf8)[...]
    var right = Array(other.utf8)[...]
    while let a = left.first, let b = right.first {
      let (runA, runB) = (left.prefix { $0.isDigit }, right.prefix { $0.isDigit })
      if !runA.isEmpty && !runB.isEmpty {
        let (digitsA, digitsB) = (runA.drop { $0 == 0x30 }, runB.drop { $0 == 0x30 })
        if digitsA.count != digitsB.count { return digitsA.count < digitsB.count }
        if !digitsA.elementsEqual(digitsB) { return digitsA.lexicographicallyPrecedes(digitsB) }
        left = left.dropFirst(runA.count)
        right = right.dropFirst(runB.count)
      } else {
        // A name that ends comes before the same name with a number: `conv2d/0` before `conv2d_1/0`.
        if a != b { return a == 0x2f || (b != 0x2f && a < b) }
        left = left.dropFirst()
        right = right.dropFirst()
      }
    }
    return left.isEmpty && !right.isEmpty
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }
}
