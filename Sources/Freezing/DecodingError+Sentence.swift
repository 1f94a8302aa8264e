extension DecodingError {
  /// Where, what was expected and what was found, in one clause.
  ///
  /// - Parameter depth: How many keys on the way to the place are left out, since whoever asks names it otherwise.
  package func sentence(below depth: Int = 0) -> String {
    func place(_ context: Context) -> String {
      let path = context.codingPath.dropFirst(depth).map { $0.intValue.map(String.init) ?? $0.stringValue }
      return path.isEmpty ? "the text" : path.joined(separator: ".")
    }
    switch self {
    case .keyNotFound(let key, let context): return "\(place(context)) has no \(key.stringValue)"
    case .typeMismatch(let type, let context): return "\(place(context)) must be of type \(type)"
    case .valueNotFound(let type, let context): return "\(place(context)) has no value of type \(type)"
    case .dataCorrupted(let context):
      return context.underlyingError.map { "\($0)" } ?? "\(place(context)): \(context.debugDescription)"
    @unknown default: return "\(self)"
    }
  }
}
