import Graphs

/// The options of one layer as Keras's JSON gives them, looked up by name with their types checked.
struct LayerOptions {
  /// The layer's name, for messages.
  let layer: String
  /// Keras's class name.
  let kind: String
  /// Whether an older Keras wrote this, in which `hard_sigmoid` had another slope.
  let isKeras2: Bool
  /// All options.
  let values: JSONObject
  /// Which options have been looked up.
  let lookups = Lookups()

  init(layer: String, kind: String, isKeras2: Bool, values: JSONObject) {
    self.layer = layer
    self.kind = kind
    self.isKeras2 = isKeras2
    self.values = values
  }

  /// An error about this layer.
  func failure(_ code: WeightError.Code, _ detail: String) -> WeightError {
    WeightError(code, object: "layer \(layer) (\(kind))", detail: detail)
  }

  /// An error about an option of this layer that is missing or of another type.
  func failure(_ detail: String) -> WeightError { failure(.invalidArchitecture, detail) }

  private func unexpected(_ key: String, _ value: JSON, expected: String) -> WeightError {
    failure("has \(key) \(value.spoken) where \(expected) is expected")
  }

  /// The value of an option, nil if it is not given or `null`.
  subscript(_ key: String) -> JSON? {
    lookups.keys.insert(key)
    guard let value = values[key], !value.isNull else { return nil }
    return value
  }

  /// A whole number that has to be there.
  func integer(_ key: String) throws(WeightError) -> Int {
    guard let value = self[key] else { throw failure("lacks its \(key)") }
    guard let number = value.integer else { throw unexpected(key, value, expected: "a whole number") }
    return number
  }

  /// A whole number.
  func integer(_ key: String, default fallback: Int) throws(WeightError) -> Int {
    self[key] == nil ? fallback : try integer(key)
  }

  /// A real number that has to be there.
  func number(_ key: String) throws(WeightError) -> Float {
    guard self[key] != nil else { throw failure("lacks its \(key)") }
    return try number(key, default: 0)
  }

  /// A real number.
  func number(_ key: String, default fallback: Float) throws(WeightError) -> Float {
    guard let value = self[key] else { return fallback }
    // Arrays of one number stand where numpy scalars were saved.
    guard let numbers = value.numbers, numbers.count == 1 else { throw unexpected(key, value, expected: "a number") }
    return numbers[0]
  }

  /// One number or several.
  func numbers(_ key: String) throws(WeightError) -> [Float]? {
    guard let value = self[key] else { return nil }
    guard let numbers = value.numbers, !numbers.isEmpty else { throw unexpected(key, value, expected: "numbers") }
    return numbers
  }

  /// A truth value.
  func flag(_ key: String, default fallback: Bool) throws(WeightError) -> Bool {
    guard let value = self[key] else { return fallback }
    if let flag = value.bool { return flag }
    guard let number = value.integer, number == 0 || number == 1 else {
      throw unexpected(key, value, expected: "true or false")
    }
    return number == 1
  }

  /// A text.
  func string(_ key: String, default fallback: String) throws(WeightError) -> String {
    guard let value = self[key] else { return fallback }
    guard let string = value.string else { throw unexpected(key, value, expected: "a text") }
    return string
  }

  /// Whole numbers, one alone standing for a list of one.
  func integers(_ key: String) throws(WeightError) -> [Int] {
    guard let value = self[key] else { throw failure("lacks its \(key)") }
    let list = (value.array ?? [value]).compactMap(\.integer)
    guard list.count == value.array?.count ?? 1 else { throw unexpected(key, value, expected: "whole numbers") }
    return list
  }

  /// A height and a width, or one number for both.
  func size(_ key: String, default fallback: Size2D? = nil) throws(WeightError) -> Size2D {
    if let fallback, self[key] == nil { return fallback }
    let extents = try integers(key)
    switch extents.count {
    case 1: return Size2D(extents[0])
    case 2: return Size2D(extents[0], extents[1])
    default: throw failure("has \(extents.count) numbers in its \(key) where height and width are expected")
    }
  }

  /// Rows and columns at the borders: one number, one for each axis, or two for each axis.
  func insets(_ key: String) throws(WeightError) -> Insets2D {
    guard let value = self[key] else { throw failure("lacks its \(key)") }
    if let number = value.integer { return Insets2D(number) }
    let axes = (value.array ?? []).map { ($0.array ?? [$0, $0]).compactMap(\.integer) }
    guard axes.count == 2, axes.allSatisfy({ $0.count == 2 }) else {
      throw unexpected(key, value, expected: "a number for each side")
    }
    return Insets2D(top: axes[0][0], bottom: axes[0][1], left: axes[1][0], right: axes[1][1])
  }

  /// How borders are treated.
  func padding() throws(WeightError) -> Padding {
    let word = try string("padding", default: "valid")
    guard let padding = Padding(rawValue: word.lowercased()) else {
      throw failure(.unsupportedLayer, "has padding \"\(word)\"; only valid and same are known")
    }
    return padding
  }

  /// Refuses an option that would change what the layer computes.
  func refuse(_ key: String, unless allowed: [JSON], reason: String) throws(WeightError) {
    guard let value = self[key], !allowed.contains(value) else { return }
    throw failure(.unsupportedLayer, "has \(key) \(value.spoken), \(reason)")
  }
}

extension JSON {
  /// All numbers of a number, of nested lists, or of an array that Keras wrapped up.
  var numbers: [Float]? {
    if let number { return [Float(number)] }
    if let array {
      var result: [Float] = []
      for element in array {
        guard let numbers = element.numbers else { return nil }
        result += numbers
      }
      return result
    }
    guard let kind = self["class_name"]?.string, ["__numpy__", "__tensor__"].contains(kind) else { return nil }
    return self["config"]?["value"]?.numbers
  }
}
