import Graphs

/// A kind that Keras has as an operation between layers, such as `keras.ops.mean`, and not as a layer.
///
/// A file cannot name one as the class of a layer: a custom layer may have the same name. `OperatorNode` says what a node
/// means in the options that these kinds read.
protocol OperatorLayer: KerasLayer {}

extension Slicing: OperatorLayer {
  /// Reads `places`, a list of lists: an axis of one sample and a place of it, or start, stop and step behind it.
  init(_ options: LayerOptions) throws(WeightError) {
    var places: [Int: Places] = [:]
    for entry in options["places"]?.array ?? [] {
      let parts = entry.array ?? []
      switch (parts.count, parts.first?.integer) {
      case (2, let axis?): places[axis] = .one(parts[1].integer ?? 0)
      case (4, let axis?):
        places[axis] = .range(start: parts[1].integer, stop: parts[2].integer, step: parts[3].integer ?? 1)
      default: throw options.failure("picks places of no axis")
      }
    }
    self.init(places)
  }

  func turned(rank: Int) -> (any KerasLayer)? {
    // Where an axis goes, the others may be an image no more.
    let keepsAxes = places.values.allSatisfy { if case .one = $0 { false } else { true } }
    guard keepsAxes, let places = try? resolved(rank: rank) else { return nil }
    return Slicing(Dictionary(uniqueKeysWithValues: places.map { ($0.key.turned(rank: rank), $0.value) }))
  }

  func canonical(rank: Int) -> any KerasLayer { (try? resolved(rank: rank)).map { Slicing($0) } ?? self }

  func record() -> LayerRecord {
    // The batch comes first.
    var index = [Self.slice(nil, nil, nil)]
    if let last = places.keys.max(), last >= 0 { index += (0...last).map(entry) }
    if let first = places.keys.min(), first < 0 {
      index.append(["class_name": "__ellipsis__", "config": [:]])
      index += (first...(-1)).map(entry)
    }
    return LayerRecord(operation: Self.kind, arguments: [.array(index)])
  }

  private func entry(_ axis: Int) -> JSON {
    switch places[axis] {
    case nil: Self.slice(nil, nil, nil)
    case .one(let place)?: .integer(place)
    case .range(let start, let stop, let step)?: Self.slice(start, stop, step == 1 ? nil : step)
    }
  }

  private static func slice(_ start: Int?, _ stop: Int?, _ step: Int?) -> JSON {
    func option(_ value: Int?) -> JSON { value.map { .integer($0) } ?? .null }
    return [
      "class_name": "__slice__", "config": ["start": option(start), "stop": option(stop), "step": option(step)],
    ]
  }
}

extension Stack: OperatorLayer, MergingLayer {
  init(_ options: LayerOptions) throws(WeightError) {
    let axis = try options.integer("axis", default: 0)
    guard axis != 0 else { throw options.failure(.unsupportedLayer, "works along the batch, which mixes samples") }
    self.init(axis: axis > 0 ? axis - 1 : axis)
  }

  func canonical(rank: Int) -> any KerasLayer { Stack(axis: resolvedAxis(rank: rank + 1)) }

  func record() -> LayerRecord { LayerRecord(operation: Self.kind, ["axis": .integer([axis].batchAxes[0])]) }
}

extension Reduction: OperatorLayer {
  static let kerasClasses = ["Mean", "Sum", "Max", "Min"]

  init(_ options: LayerOptions) throws(WeightError) {
    guard let way = Way(rawValue: options.kind) else { throw options.failure("is no reduction that is known") }
    guard options["axis"] != nil else {
      throw options.failure(.unsupportedLayer, "reduces all axes and the batch with them, which mixes samples")
    }
    try options.refuse("initial", unless: [], reason: "which is not supported")
    self.init(
      way, axes: try options.sampleAxes("axis", default: []), keepsAxes: try options.flag("keepdims", default: false))
  }

  func canonical(rank: Int) -> any KerasLayer {
    let axes = axes.map { $0 < 0 ? $0 + rank : $0 }.sorted()
    switch (way, rank, axes) {
    case (.mean, 3, [0, 1]): return GlobalAveragePooling2D(keepsAxes: keepsAxes)
    case (.maximum, 3, [0, 1]): return GlobalMaxPooling2D(keepsAxes: keepsAxes)
    default: return Reduction(way, axes: axes, keepsAxes: keepsAxes)
    }
  }

  func record() -> LayerRecord {
    LayerRecord(operation: way.rawValue, ["axis": axes.batchAxesOption, "keepdims": .bool(keepsAxes)])
  }
}

extension LayerRecord {
  /// One of Keras's operations on arrays.
  ///
  /// - Parameter arguments: What it is called with behind its tensors.
  init(operation kind: String, _ options: JSONObject = [:], arguments: [JSON] = []) {
    self.init(kind, options, module: "keras.src.ops.numpy")
    isOperation = true
    self.arguments = arguments
  }
}

extension ActivationFunction {
  /// The operation that cuts numbers to bounds.
  static func clipRecord(low: Float, high: Float) -> LayerRecord {
    switch (low.isFinite, high.isFinite) {
    case (true, false): LayerRecord(operation: "Maximum", arguments: [JSON(low)])
    case (false, true): LayerRecord(operation: "Minimum", arguments: [JSON(high)])
    default: LayerRecord(operation: "Clip", ["x_min": JSON(low), "x_max": JSON(high)])
    }
  }
}
