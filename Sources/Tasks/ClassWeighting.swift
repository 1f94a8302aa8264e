/// How much the samples of each class count in the loss while training.
public enum ClassWeighting: Hashable, Sendable {
  /// Every sample counts the same.
  case none
  /// Each class counts the same as a whole: n / (K·nₖ) for a sample of class k, with K classes and n samples.
  case balanced
  /// A factor for each class, in the order of the labels.
  case explicit([Float])

  /// The factor of each class, given how many training samples each has; nil where all are 1.
  ///
  /// Classes without samples count neither in n nor in K and get 1, so that the mean factor over the samples is 1.
  public func factors(counts: [Int]) -> [Float]? {
    switch self {
    case .none: return nil
    case .explicit(let values): return values
    case .balanced:
      let total = counts.reduce(0, +)
      let present = counts.count { $0 > 0 }
      return counts.map { $0 > 0 ? Float(Double(total) / (Double(present) * Double($0))) : 1 }
    }
  }
}

extension ClassWeighting: Codable {
  /// Reads `"none"`, `"balanced"` or a list of numbers.
  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let factors = try? value.decode([Float].self) {
      self = .explicit(factors)
      return
    }
    switch try value.decode(String.self) {
    case "none": self = .none
    case "balanced": self = .balanced
    case let other:
      throw TaskError(
        .invalidOption, subject: "classWeights",
        detail: "expected none, balanced or a number for each class, found \(other)")
    }
  }

  /// Writes the word or the list.
  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .none: try value.encode("none")
    case .balanced: try value.encode("balanced")
    case .explicit(let factors): try value.encode(factors)
    }
  }
}
