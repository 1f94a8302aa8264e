/// A loss on the logits of a classification, with its gradient.
///
/// A label of −1 means that the sample has none, or that it only fills up a batch: it adds no loss and no gradient. Nothing
/// is allocated, and the sum is taken in the order of the samples.
public protocol ClassificationLoss: Sendable {
  /// How many logits a sample has.
  var classCount: Int { get }

  /// The same loss without class factors: what is measured on validation and test samples, as in Keras.
  var forEvaluation: Self { get }

  /// The loss of a batch, and its gradient.
  ///
  /// ## Shapes
  /// - logits and gradient: `[N, K]`
  /// - labels: `[N]`, each −1 or a class
  ///
  /// - Parameters:
  ///   - logits: What stands before the softmax.
  ///   - labels: The true classes.
  ///   - gradient: Takes scale · ∂(sum of losses)/∂logits; every element is written. It may be the logits' own memory.
  ///   - scale: Usually wᵢ / (n · labelled samples of the whole batch), see `MeanBalancing`.
  func evaluate(
    logits: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Int32>,
    gradient: UnsafeMutableBufferPointer<Float>, scale: Float
  ) -> LossValue

  /// The loss of a batch alone.
  ///
  /// ## Shapes
  /// - logits: `[N, K]`
  /// - labels: `[N]`, each −1 or a class
  func evaluate(logits: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Int32>) -> LossValue
}

extension TaskDescription {
  /// How wrong an answer is counted to be.
  public enum Loss: Hashable, Sendable {
    /// The cross-entropy between softmax and label.
    case crossEntropy
    /// The cross-entropy with each class's term times (1 − p)^gamma: what is known already counts less. Lin et al., 2017.
    case focal(gamma: Float = 2)
  }

  /// The loss that is trained, given how many training samples each class has.
  public func trainingLoss(counts: [Int]) -> any ClassificationLoss {
    loss(classFactors: classWeighting.factors(counts: counts))
  }

  /// The loss that is measured.
  public var measuredLoss: any ClassificationLoss { loss(classFactors: nil) }

  private func loss(classFactors: [Float]?) -> any ClassificationLoss {
    switch loss {
    case .crossEntropy:
      SoftmaxCrossEntropy(classCount: outputCount, labelSmoothing: labelSmoothing, classFactors: classFactors)
    case .focal(let gamma):
      FocalLoss(classCount: outputCount, gamma: gamma, labelSmoothing: labelSmoothing, classFactors: classFactors)
    }
  }
}

extension TaskDescription.Loss: Codable {
  private enum Key: String, CodingKey {
    case focal
  }

  private enum Option: String, CodingKey {
    case gamma
  }

  /// Reads `crossEntropy`, `focal` or `{focal: {gamma: 2}}`.
  public init(from decoder: any Decoder) throws {
    if let word = try? decoder.singleValueContainer().decode(String.self) {
      switch word {
      case "crossEntropy": self = .crossEntropy
      case "focal": self = .focal()
      default:
        throw TaskError(.unknownKind, subject: "loss \(word)", detail: "expected crossEntropy or focal")
      }
      return
    }
    let options = try decoder.container(keyedBy: Key.self).nestedContainer(keyedBy: Option.self, forKey: .focal)
    self = .focal(gamma: try options.decode(Float.self, forKey: .gamma))
  }

  /// Writes the loss with its option.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .crossEntropy:
      var value = encoder.singleValueContainer()
      try value.encode("crossEntropy")
    case .focal(let gamma):
      var values = encoder.container(keyedBy: Key.self)
      var options = values.nestedContainer(keyedBy: Option.self, forKey: .focal)
      try options.encode(gamma, forKey: .gamma)
    }
  }
}
