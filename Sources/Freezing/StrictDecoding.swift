/// Decoding that refuses keys nobody asked for: in a file written by hand they are misspelt options.
extension Decoder {
  /// The values by key.
  ///
  /// - Throws: `ScheduleError.Code.unknownName` for a key that is none of the type's.
  func strictContainer<Key: CodingKey & CaseIterable>(
    keyedBy type: Key.Type, in subject: String
  ) throws -> KeyedDecodingContainer<Key> {
    try strictContainer(of: Array(type.allCases), in: subject)
  }

  /// The values by key, of which only some may be there.
  ///
  /// - Throws: `ScheduleError` with code `unknownName` for any other key, `invalidOption` where there are no keys at all.
  func strictContainer<Key: CodingKey>(of keys: [Key], in subject: String) throws -> KeyedDecodingContainer<Key> {
    let known = keys.map(\.stringValue)
    guard let all = try? container(keyedBy: AnyKey.self) else {
      throw ScheduleError(
        .invalidOption, subject: subject, detail: "expected options by name: \(known.joined(separator: ", "))")
    }
    if let stranger = all.allKeys.first(where: { !known.contains($0.stringValue) }) {
      throw ScheduleError(
        .unknownName, subject: subject,
        detail: "there is no option \(stranger.stringValue); the nearest are "
          + known.nearest(to: stranger.stringValue).joined(separator: ", "))
    }
    return try container(keyedBy: Key.self)
  }

  /// The only key, and what stands under it: a case with its options.
  ///
  /// - Throws: `ScheduleError` with code `unknownName` for another key, `invalidOption` where there is not exactly one.
  func singleKey<Key: CodingKey & CaseIterable>(
    of type: Key.Type, in subject: String
  ) throws -> (Key, any Decoder) {
    let values = try strictContainer(keyedBy: type, in: subject)
    guard let key = values.allKeys.first, values.allKeys.count == 1 else {
      let known = type.allCases.map(\.stringValue).joined(separator: ", ")
      throw ScheduleError(
        .invalidOption, subject: subject, detail: "expected one of \(known), found \(values.allKeys.count) of them")
    }
    return (key, try values.superDecoder(forKey: key))
  }
}

extension KeyedDecodingContainer {
  /// The value of a key, or the usual one where the key is not there.
  func decode<Value: Decodable>(_ key: Key, or usual: Value) throws -> Value {
    try decodeIfPresent(Value.self, forKey: key) ?? usual
  }
}

/// Any key at all.
private struct AnyKey: CodingKey {
  let stringValue: String
  let intValue: Int?

  init(stringValue: String) {
    self.stringValue = stringValue
    intValue = nil
  }

  init(intValue: Int) {
    stringValue = String(intValue)
    self.intValue = intValue
  }
}
