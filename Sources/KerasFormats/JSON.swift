/// A JSON value, with the members of an object in their order and Python's `NaN` and `Infinity` among the numbers.
package enum JSON: Hashable, Sendable {
  /// `null`
  case null
  /// `true` or `false`
  case bool(Bool)
  /// A number without fraction or exponent.
  case integer(Int)
  /// Any other number.
  case number(Double)
  /// A text.
  case string(String)
  /// A list.
  case array([JSON])
  /// Names with values.
  case object(JSONObject)
}

/// The members of a JSON object in their order.
package struct JSONObject: Hashable, Sendable {
  /// A name with its value.
  package struct Member: Hashable, Sendable {
    /// The name.
    package var key: String
    /// The value.
    package var value: JSON
  }

  /// All members.
  package var members: [Member] = []

  /// An object without members.
  package init() {}

  /// The value of a name, the last one where a name stands twice; setting nil changes nothing.
  package subscript(_ key: String) -> JSON? {
    get { members.last { $0.key == key }?.value }
    set {
      guard let newValue else { return }
      if let index = members.lastIndex(where: { $0.key == key }) {
        members[index].value = newValue
      } else {
        members.append(Member(key: key, value: newValue))
      }
    }
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  /// An object written as its members.
  package init(dictionaryLiteral elements: (String, JSON)...) {
    members = elements.map { Member(key: $0.0, value: $0.1) }
  }
}

extension JSON: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
  /// An object written as its members.
  package init(dictionaryLiteral elements: (String, JSON)...) {
    var object = JSONObject()
    object.members = elements.map { JSONObject.Member(key: $0.0, value: $0.1) }
    self = .object(object)
  }

  /// A list written as its elements.
  package init(arrayLiteral elements: JSON...) { self = .array(elements) }

  /// A text.
  package init(stringLiteral value: String) { self = .string(value) }

  /// A whole number.
  package init(integerLiteral value: Int) { self = .integer(value) }

  /// A truth value.
  package init(booleanLiteral value: Bool) { self = .bool(value) }

  /// A missing value.
  package init(nilLiteral: ()) { self = .null }
}

extension JSON {
  /// A single-precision number as the shortest decimal that stands for it, so that 0.001 stays 0.001.
  package init(_ value: Float) { self = .number(Double(value.description) ?? Double(value)) }

  /// The value of a name in an object, nil for anything else.
  package subscript(_ key: String) -> JSON? {
    if case .object(let object) = self { object[key] } else { nil }
  }

  /// The text, nil for anything else.
  package var string: String? { if case .string(let value) = self { value } else { nil } }

  /// The elements, nil for anything else.
  package var array: [JSON]? { if case .array(let value) = self { value } else { nil } }

  /// The members, nil for anything else.
  package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }

  /// The truth value, nil for anything else.
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

  /// The whole number, also when written like `3.0`; nil for anything else.
  package var integer: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  /// The number, nil for anything else.
  package var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// Whether this is `null`.
  package var isNull: Bool { self == .null }

  /// What kind of value this is, for messages.
  package var spoken: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let value): "\"\(value.prefix(60))\""
    case .array(let values): "a list of \(values.count)"
    case .object: "an object"
    }
  }
}
