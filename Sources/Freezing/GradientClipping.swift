/// A bound on gradients, against the one step that ruins everything.
public enum GradientClipping: Hashable, Sendable {
  /// All gradients are scaled down together where the norm of all of them is larger. Pascanu et al., 2013.
  case globalNorm(Double)
  /// The gradients of each parameter are scaled down together where their norm is larger.
  case norm(Double)
  /// Each element is cut to −bound…bound.
  case value(Double)

  /// The bound.
  public var bound: Double {
    switch self {
    case .globalNorm(let bound), .norm(let bound), .value(let bound): bound
    }
  }

  /// Checks that the bound is more than zero.
  func validate(in subject: String) throws(ScheduleError) {
    guard bound.isFinite, bound > 0 else {
      throw ScheduleError(.invalidOption, subject: subject, detail: "clipping must be more than 0, but is \(bound)")
    }
  }
}

extension GradientClipping: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case globalNorm
    case norm
    case value
  }

  /// Reads `{globalNorm: 1}`, `{norm: 1}` or `{value: 0.5}`.
  public init(from decoder: any Decoder) throws {
    let (key, inner) = try decoder.singleKey(of: Key.self, in: "clipping")
    let bound = try inner.singleValueContainer().decode(Double.self)
    switch key {
    case .globalNorm: self = .globalNorm(bound)
    case .norm: self = .norm(bound)
    case .value: self = .value(bound)
    }
  }

  /// Writes the kind with its bound.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    switch self {
    case .globalNorm(let bound): try values.encode(bound, forKey: .globalNorm)
    case .norm(let bound): try values.encode(bound, forKey: .norm)
    case .value(let bound): try values.encode(bound, forKey: .value)
    }
  }
}
