/// Decoding that refuses keys nobody asked for: in a file written by hand they are misspelt options.
extension Decoder {
  /// The values by key.
  ///
  /// - Throws: `ScheduleError.Code.unknownName` for a key that is none of the type's.
  func strictContainer<Key: CodingKey & CaseIterable>(
    keyedBy type: Key.Type, in subject: String
  ) throws -> KeyedDecodingContainer<Key> {
    for key in try container(keyedBy: AnyKey.self).allKeys where Key(stringValue: key.stringValue) == nil {
      throw unknown(key.stringValue, type, in: subject)
    }
    return try container(keyedBy: type)
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

  private func unknown<Key: CodingKey & CaseIterable>(
    _ name: String, _ type: Key.Type, in subject: String
  ) -> ScheduleError {
    let known = type.allCases.map(\.stringValue)
    return ScheduleError(
      .unknownName, subject: subject,
      detail: "there is no option \(name); the nearest are \(known.nearest(to: name).joined(separator: ", "))")
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
