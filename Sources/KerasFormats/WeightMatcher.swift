import Graphs
import HDF5Files
import Tensors

/// Finds the place of every array of a file in a network.
struct WeightMatcher {
  /// The layers of the file that have arrays.
  private let stored: [StoredLayer]
  /// The layers of the network that have parameters.
  private let expected: [ExpectedLayer]
  /// What the file means by its arrays.
  private let dialect: WeightDialect

  init(stored: [StoredLayer], expected: [ExpectedLayer], dialect: WeightDialect) {
    self.stored = stored.filter { !$0.arrays.isEmpty }
    self.expected = expected.filter { !$0.parameters.isEmpty }
    self.dialect = dialect
  }

  /// The plan that the options ask for; where they leave it open, by name if every name is found and every shape fits,
  /// else by Keras's order if that fits.
  ///
  /// - Throws: ``WeightError`` with `unfitWeights` where shapes leave a choice.
  func plan(_ matching: LoadOptions.Matching) throws(WeightError) -> WeightPlan {
    switch matching {
    case .names: return plan(.names, pairsByName())
    case .order: return plan(.order, pairsByOrder())
    case .shapes:
      let matcher = ShapeMatcher(stored: stored, expected: expected, dialect: dialect)
      var plan = plan(.shapes, try matcher.pairs())
      plan.report.warnings += matcher.contradictions(in: plan)
      return plan
    case .automatic:
      let byName = plan(.names, pairsByName())
      if byName.report.isComplete { return byName }
      let byOrder = plan(.order, pairsByOrder())
      if byOrder.report.isComplete { return byOrder }
      // Neither fits. Names tell a person more, unless hardly any of them is known.
      let saysNothing = byName.report.matched.isEmpty && stored.allSatisfy { $0.name == nil }
      return saysNothing && !byOrder.report.matched.isEmpty ? byOrder : byName
    }
  }

  /// A layer of the file and the layer of the network that it belongs to; one of them may be missing.
  typealias Pair = (stored: StoredLayer?, expected: ExpectedLayer?)

  private func pairsByName() -> [Pair] {
    var layers: [String: StoredLayer] = [:]
    for layer in stored {
      if let name = layer.name, layers[name] == nil { layers[name] = layer }
    }
    var used: Set<String> = []
    var result: [Pair] = []
    for layer in expected {
      let found = layers[layer.name]
      if let found { used.insert(found.place) }
      result.append((found, layer))
    }
    return result + stored.filter { !used.contains($0.place) }.map { ($0, nil) }
  }

  private func pairsByOrder() -> [Pair] {
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

  private func plan(_ matching: LoadReport.Matching, _ pairs: [Pair]) -> WeightPlan {
    var plan = WeightPlan()
    plan.report.matching = matching
    for layer in expected {
      plan.parameters += layer.parameters.map { WeightPlan.Named(name: "\($0.path)", shape: $0.shape) }
    }
    for layer in stored {
      plan.arrays += layer.arrays.map { WeightPlan.Named(name: layer.label(of: $0), shape: $0.dataset.shape) }
    }
    for (stored, expected) in pairs {
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
        if let conversion = dialect.conversion(from: dataset.shape, to: parameter) {
          plan.report.matched.append(parameter.path)
          plan.pairs.append(WeightPlan.Pair(path: parameter.path, dataset: dataset, conversion: conversion))
        } else {
          plan.report.mismatched.append(
            LoadReport.Mismatch(path: parameter.path, expected: parameter.shape, found: dataset.shape))
        }
      }
      for (array, isUsed) in zip(arrays, isUsed) where !isUsed {
        plan.report.unused.append(array.dataset.path)
        plan.unused.append(
          WeightPlan.Named(name: stored?.label(of: array) ?? array.name, shape: array.dataset.shape))
      }
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
