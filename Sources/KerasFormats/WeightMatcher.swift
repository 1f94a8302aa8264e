import Graphs
import Tensors

/// Finds the place of every array of a file in a network.
struct WeightMatcher {
  /// The layers of the file that have arrays.
  private let stored: [StoredLayer]
  /// The layers of the network that have parameters.
  private let expected: [ExpectedLayer]

  init(stored: [StoredLayer], expected: [ExpectedLayer]) {
    self.stored = stored.filter { !$0.arrays.isEmpty }
    self.expected = expected.filter { !$0.parameters.isEmpty }
  }

  /// A way to fill the network.
  struct Plan {
    /// The arrays to read, each with its parameter.
    var pairs: [(path: ParameterPath, dataset: StoredArray)] = []
    /// What became of the rest.
    var report = LoadReport()
  }

  /// The best plan: by name where every name is found and every shape fits, else by Keras's order where that fits.
  func plan(options: LoadOptions) -> Plan {
    let byName = plan(.names) { pairsByName() }
    if byName.report.isComplete || options.contains(.byName) { return byName }
    let byOrder = plan(.order) { pairsByOrder() }
    if byOrder.report.isComplete { return byOrder }
    // Neither fits. Names tell a person more, unless hardly any of them is known.
    return byName.report.matched.isEmpty && !byOrder.report.matched.isEmpty && stored.allSatisfy({ $0.name == nil })
      ? byOrder : byName
  }

  private func pairsByName() -> [(StoredLayer?, ExpectedLayer?)] {
    var layers: [String: StoredLayer] = [:]
    for layer in stored {
      if let name = layer.name, layers[name] == nil { layers[name] = layer }
    }
    var used: Set<String> = []
    var result: [(StoredLayer?, ExpectedLayer?)] = []
    for layer in expected {
      let found = layers[layer.name]
      if let found { used.insert(found.place) }
      result.append((found, layer))
    }
    return result + stored.filter { !used.contains($0.place) }.map { ($0, nil) }
  }

  private func pairsByOrder() -> [(StoredLayer?, ExpectedLayer?)] {
    // Files that know only classes say the order by their groups' names, the others by a list.
    if stored.contains(where: { $0.place.hasPrefix("layers/") }) {
      let places = Dictionary(stored.map { ($0.place, $0) }, uniquingKeysWith: { first, _ in first })
      let used = Set(expected.map(\.place))
      return expected.map { (places[$0.place], $0) } + stored.filter { !used.contains($0.place) }.map { ($0, nil) }
    }
    return (0..<max(stored.count, expected.count)).map { index in
      (index < stored.count ? stored[index] : nil, index < expected.count ? expected[index] : nil)
    }
  }

  private func plan(_ matching: LoadReport.Matching, _ pairs: () -> [(StoredLayer?, ExpectedLayer?)]) -> Plan {
    var plan = Plan()
    plan.report.matching = matching
    for (stored, expected) in pairs() {
      let arrays = stored?.arrays ?? []
      let parameters = expected?.parameters ?? []
      let places = Self.pair(arrays, parameters)
      var isUsed = [Bool](repeating: false, count: arrays.count)
      for (parameter, place) in zip(parameters, places) {
        guard let place else {
          plan.report.missing.append(parameter.path)
          continue
        }
        isUsed[place] = true
        let dataset = arrays[place].dataset
        if dataset.shape == parameter.shape {
          plan.report.matched.append(parameter.path)
          plan.pairs.append((parameter.path, dataset))
        } else {
          plan.report.mismatched.append(
            LoadReport.Mismatch(path: parameter.path, expected: parameter.shape, found: dataset.shape))
        }
      }
      for (array, isUsed) in zip(arrays, isUsed) where !isUsed { plan.report.unused.append(array.dataset.path) }
    }
    return plan
  }

  /// For each parameter of a layer the position of its array.
  ///
  /// By name where the names are all understood; else by position, as Keras itself does.
  private static func pair(_ arrays: [StoredLayer.Array], _ parameters: [ExpectedParameter]) -> [Int?] {
    var places: [String: Int] = [:]
    for (index, parameter) in parameters.enumerated() { places[parameter.name] = index }
    var named = [Int?](repeating: nil, count: parameters.count)
    var namedCount = 0
    for (index, array) in arrays.enumerated() {
      guard let place = place(of: array.name, in: places), named[place] == nil else { continue }
      named[place] = index
      namedCount += 1
    }
    if namedCount == arrays.count || arrays.count != parameters.count { return named }
    return parameters.indices.map { $0 }
  }

  /// The longest end of an array's name that is a parameter's: `outer/conv1_2/kernel:0` may mean `conv1_2/kernel`.
  private static func place(of name: String, in places: [String: Int]) -> Int? {
    var words = name.split(separator: "/")
    guard let last = words.popLast() else { return nil }
    // TensorFlow ends the names of variables with the number of an output.
    let variable = last.hasSuffix(":0") ? last.dropLast(2) : last
    words.append(variable)
    for start in words.indices {
      if let place = places[words[start...].joined(separator: "/")] { return place }
    }
    return nil
  }
}

extension WeightMatcher.Plan {
  /// Reads all arrays of the plan as single-precision numbers.
  ///
  /// - Throws: ``WeightError``.
  mutating func read() throws(WeightError) -> Weights {
    var weights = Weights()
    weights.tensors.reserveCapacity(pairs.count)
    var oddCount = 0
    for (path, dataset) in pairs {
      let tensor = try dataset.read().converted(to: .f32)
      if tensor.withFloats({ !$0.areFinite }) {
        oddCount += 1
        if oddCount <= 3 { report.warnings.append("\(path) holds numbers that are infinite or no numbers.") }
      }
      weights[path] = tensor
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
