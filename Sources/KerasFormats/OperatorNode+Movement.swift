/// Operations that move numbers, pick some of them or make one out of several.
extension OperatorNode {
  /// The layer that does the same; nil for arithmetic.
  func movement() throws(WeightError) -> JSON? {
    switch function {
    case "GetItem", "__operators__.getitem": return try slicing()
    case "Flip", "reverse": return try flip()
    case "Take": return try take()
    case "Squeeze", "compat.v1.squeeze", "squeeze":
      return places(try axes("axis").map { [.integer($0), 0] })
    case "Stack", "stack": return operation("Stack", ["axis": option("axis") ?? 0])
    // One tensor alone gets an axis of extent 1.
    case "ExpandDims", "expand_dims": return operation("Stack", ["axis": option("axis") ?? 0])
    case "Concatenate", "concat": return layer("Concatenate", ["axis": option("axis") ?? 0])
    case "Reshape", "reshape": return try reshape()
    case "Transpose", "compat.v1.transpose", "transpose": return try transpose()
    case "Cast", "cast": return try cast()
    case "Resize", "image.resize": return try resize()
    case "Clip", "clip_by_value":
      return clip(low: try bound("x_min", "clip_value_min"), high: try bound("x_max", "clip_value_max"))
    default:
      let reductions = [
        "Mean": "Mean", "Sum": "Sum", "Max": "Max", "Min": "Min", "math.reduce_mean": "Mean", "math.reduce_sum": "Sum",
        "math.reduce_max": "Max", "math.reduce_min": "Min",
      ]
      guard let kind = reductions[function] else { return nil }
      return operation(
        kind,
        [
          "axis": option("axis") ?? .null, "keepdims": option("keepdims") ?? false,
          "initial": option("initial") ?? .null,
        ])
    }
  }

  /// An option, which Keras 3 writes down with the operation and Keras 2 with what it is called with.
  private func option(_ key: String) -> JSON? {
    let value = config[key] ?? calls.first?.named[key]
    return value?.isNull == true ? nil : value
  }

  /// Whole numbers, one alone standing for a list of one.
  private func integers(_ key: String) throws(WeightError) -> [Int] {
    guard let value = option(key) else { throw failure("lacks its \(key)") }
    let list = value.array ?? [value]
    let numbers = list.compactMap(\.integer)
    guard numbers.count == list.count else {
      throw failure("has \(key) \(value.spoken), where whole numbers are supported")
    }
    return numbers
  }

  /// Axes of one sample: Keras counts the batch as axis 0.
  private func axes(_ key: String) throws(WeightError) -> [Int] {
    try integers(key).map { axis throws(WeightError) in try sampleAxis(axis) }
  }

  private func sampleAxis(_ axis: Int) throws(WeightError) -> Int {
    guard axis != 0 else { throw failure("works along the batch, which mixes samples") }
    return axis > 0 ? axis - 1 : axis
  }

  private func bound(_ keys: String...) throws(WeightError) -> Float? {
    guard let value = keys.lazy.compactMap({ option($0) }).first else { return nil }
    guard let numbers = value.numbers, numbers.count == 1 else {
      throw failure("has a bound \(value.spoken), where one number is supported")
    }
    return numbers[0]
  }
}

// MARK: - Picking

extension OperatorNode {
  private func places(_ places: [[JSON]]) -> JSON {
    operation("GetItem", ["places": .array(places.map { .array($0) })])
  }

  /// An index in Python's brackets: an entry for each axis, of which one may be an ellipsis.
  private func slicing() throws(WeightError) -> JSON {
    guard let first = calls.first, calls.count == 1, first.tensors.count == 1,
      let index = first.named["slice_spec"] ?? first.others.first
    else { throw failure("picks a part of a tensor by something that is no index in its brackets") }
    let entries = index.array ?? [index]
    let gaps = entries.indices.filter { entries[$0]["class_name"]?.string == "__ellipsis__" }
    guard gaps.count <= 1 else { throw failure("has more than one ellipsis in its index") }
    var picked: [[JSON]] = []
    for (position, entry) in entries.enumerated() where !gaps.contains(position) {
      let isBehind = gaps.first.map { position > $0 } ?? false
      let axis = isBehind ? position - entries.count : position - 1
      let slice = entry["class_name"]?.string == "__slice__" ? entry["config"] ?? [:] : entry
      if let place = entry.integer {
        guard axis != -1 || isBehind else { throw failure("picks one sample of the batch") }
        picked.append([.integer(axis), .integer(place)])
        continue
      }
      let ends = ["start", "stop", "step"].map { slice[$0] ?? .null }
      guard slice.object != nil, ends.allSatisfy({ $0.isNull || $0.integer != nil }) else {
        throw failure("picks by \(entry.spoken), where whole numbers and slices of them are supported")
      }
      if ends.allSatisfy(\.isNull) { continue }
      guard axis != -1 || isBehind else { throw failure("picks some samples of the batch") }
      picked.append([.integer(axis)] + ends)
    }
    return places(picked)
  }

  private func flip() throws(WeightError) -> JSON {
    guard option("axis") != nil else { throw failure("turns the batch round, which mixes samples") }
    return places(try axes("axis").map { [.integer($0), nil, nil, -1] })
  }

  /// Places by their numbers, which have to be as far apart as those of a slice.
  private func take() throws(WeightError) -> JSON {
    guard let index = calls.first?.others.first, calls.count == 1, option("axis") != nil,
      let axis = try axes("axis").first
    else { throw failure("takes places of no axis that it names") }
    if let place = index.integer { return places([[.integer(axis), .integer(place)]]) }
    let list = (index["config"]?["value"] ?? index).array ?? []
    let indices = list.compactMap(\.integer)
    guard indices.count == list.count, let slice = Self.slice(of: indices) else {
      throw failure("takes places that are not equally far apart, which is not supported")
    }
    return places([[.integer(axis)] + slice])
  }

  /// Start, stop and step of the slice that picks places in the given order; nil where none does.
  static func slice(of places: [Int]) -> [JSON]? {
    guard let first = places.first, let last = places.last, places.allSatisfy((0...1 << 31).contains) else {
      return nil
    }
    let step = places.count > 1 ? places[1] - first : 1
    guard step != 0, zip(places, places.dropFirst()).allSatisfy({ $1 - $0 == step }) else { return nil }
    let stop = last + step.signum()
    return [.integer(first), stop < 0 ? nil : .integer(stop), .integer(step)]
  }
}

// MARK: - Shapes and sizes

extension OperatorNode {
  private func reshape() throws(WeightError) -> JSON {
    guard let shape = option(config["newshape"] == nil ? "shape" : "newshape")?.array, shape.count > 1,
      shape[0].isNull || shape[0].integer == -1
    else { throw failure("does not leave the batch as the first axis, which mixes samples") }
    let extents = shape.dropFirst().compactMap { $0.isNull ? -1 : $0.integer }
    guard extents.count == shape.count - 1 else { throw failure("has a shape of other things than whole numbers") }
    return layer("Reshape", ["target_shape": .array(extents.map { .integer($0) })])
  }

  private func transpose() throws(WeightError) -> JSON {
    let order = try integers(config["axes"] == nil ? "perm" : "axes")
    guard order.first == 0 else { throw failure("does not leave the batch as the first axis, which mixes samples") }
    return layer("Permute", ["dims": .array(order.dropFirst().map { .integer($0) })])
  }

  /// Numbers that stay numbers of floating point stay as they are: the graph has no types.
  private func cast() throws(WeightError) -> JSON {
    let type = option("dtype")?.string ?? ""
    guard ["float16", "bfloat16", "float32", "float64"].contains(type) else {
      throw failure("turns numbers into \(type.isEmpty ? "an unknown type" : type); only floating point is supported")
    }
    return layer("Identity", [:])
  }

  private func resize() throws(WeightError) -> JSON {
    let size = try integers("size")
    guard size.count == 2 else {
      throw failure("has a size of \(size.count) numbers, where height and width are expected")
    }
    var options: JSONObject = [
      "height": .integer(size[0]), "width": .integer(size[1]),
      "interpolation": option("interpolation") ?? option("method") ?? "bilinear",
    ]
    for (key, own) in [
      ("antialias", "antialias"), ("crop_to_aspect_ratio", "crop_to_aspect_ratio"),
      ("pad_to_aspect_ratio", "pad_to_aspect_ratio"), ("preserve_aspect_ratio", "pad_to_aspect_ratio"),
      ("data_format", "data_format"),
    ] {
      if let value = option(key) { options[own] = value }
    }
    return layer("Resizing", options)
  }
}
