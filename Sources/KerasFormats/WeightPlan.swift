import Graphs
import Tensors

/// A way to fill a network from a file.
struct WeightPlan {
  /// One array that becomes a parameter.
  struct Pair {
    /// The parameter.
    var path: ParameterPath
    /// The array, not yet read.
    var dataset: StoredArray
    /// What happens to its elements.
    var conversion: ArrayConversion
  }

  /// A name with the extents of what it names, for messages.
  struct Named {
    var name: String
    var shape: Shape

    var spoken: String { "\(name) \(shape)" }
    /// Whether the file gives its arrays numbers instead of names.
    var isNumbered: Bool { name.split(separator: "/").last?.allSatisfy(\.isNumber) ?? false }
    /// The name of the layer alone.
    var layer: String { name.split(separator: "/").dropLast().last.map(String.init) ?? name }
  }

  /// The arrays to read.
  var pairs: [Pair] = []
  /// What became of the rest.
  var report = LoadReport()
  /// All arrays of the file.
  var arrays: [Named] = []
  /// All parameters of the network.
  var parameters: [Named] = []
  /// The arrays that found no place, in the order of the report.
  var unused: [Named] = []
}

// MARK: - Judging

extension WeightPlan {
  /// Refuses a load that left something undone that it may not leave.
  ///
  /// - Throws: ``WeightError`` with `unfitWeights`, naming the first of each kind, both shapes, and the nearest names.
  func check(against options: LoadOptions) throws(WeightError) {
    if report.matched.isEmpty && !parameters.isEmpty {
      let found = arrays.isEmpty ? "holds no weights" : "holds \(LoadReport.list(arrays.map(\.spoken)))"
      throw WeightError(
        .unfitWeights,
        detail: "has no weights for this network: \(parameters[0].spoken) is expected, but the file \(found)"
          + nearest(to: parameters[0], in: arrays))
    }
    var clauses: [String] = []
    if !report.missing.isEmpty && !options.tolerance.contains(.missing) {
      let missing = parameters(report.missing)
      clauses.append("nothing for \(LoadReport.list(missing.map(\.spoken)))\(nearest(to: missing[0], in: arrays))")
    }
    if !report.mismatched.isEmpty && !options.tolerance.contains(.mismatched) {
      let words = report.mismatched.map { "\($0.path) (expected \($0.expected), found \($0.found))" }
      let first = report.mismatched[0]
      let wanted = Named(name: first.path.description, shape: first.expected)
      // The array of the same name is the one that does not fit.
      let others = arrays.filter { $0.name != wanted.name }
      clauses.append("another shape for \(LoadReport.list(words))\(nearest(to: wanted, in: others))")
    }
    if !report.unused.isEmpty && !options.tolerance.contains(.unused) {
      let words = zip(report.unused, unused).map { "\($0) \($1.shape)" }
      clauses.append("no place in the network for \(LoadReport.list(words))\(nearest(to: unused[0], in: parameters))")
    }
    guard clauses.isEmpty else {
      throw WeightError(.unfitWeights, detail: "does not fit the network: it has \(clauses.joined(separator: ", "))")
    }
  }

  private func parameters(_ paths: [ParameterPath]) -> [Named] {
    let shapes = Dictionary(parameters.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
    return paths.map { Named(name: $0.description, shape: shapes[$0.description] ?? []) }
  }

  /// The five names that look most like one; where arrays have numbers, those in the layers that look most like its own.
  private func nearest(to wanted: Named, in known: [Named]) -> String {
    let comparesLayers = wanted.isNumbered || known.contains(where: \.isNumbered)
    func key(_ named: Named) -> String { comparesLayers ? named.layer : named.name }
    let groups = Dictionary(grouping: known, by: key)
    let near = groups.keys.sorted().nearest(to: key(wanted), count: 5).flatMap { groups[$0] ?? [] }.prefix(5)
    return near.isEmpty ? "" : " (the nearest are \(near.map(\.spoken).joined(separator: ", ")))"
  }
}

// MARK: - Reading

extension WeightPlan {
  /// Reads all arrays of the plan as single-precision numbers.
  ///
  /// - Throws: ``WeightError``.
  mutating func read() throws(WeightError) -> Weights {
    var weights = Weights()
    weights.tensors.reserveCapacity(pairs.count)
    var oddCount = 0
    for pair in pairs {
      let stored = try pair.dataset.read().converted(to: .f32)
      if stored.withFloats({ !$0.areFinite }) {
        oddCount += 1
        if oddCount <= 3 { report.warnings.append("\(pair.path) holds numbers that are infinite or no numbers.") }
      }
      weights[pair.path] = pair.conversion.applied(to: stored)
    }
    if oddCount > 3 {
      report.warnings.append("\(oddCount - 3) more arrays hold numbers that are infinite or no numbers.")
    }
    return weights
  }
}

extension UnsafeBufferPointer<Float> {
  /// Whether no element is infinite or no number.
  fileprivate var areFinite: Bool {
    var isOdd: UInt32 = 0
    for value in self { isOdd |= value.bitPattern & 0x7f80_0000 == 0x7f80_0000 ? 1 : 0 }
    return isOdd == 0
  }
}
