import Engine

/// What a run computes images with.
///
/// Weights, statistics, losses and optimizers are single precision always.
public struct TrainingPrecision: Hashable, Sendable, Codable {
  /// In the frozen part of the network.
  public var frozen: PlanOptions.Precision
  /// In the part that trains.
  public var trained: PlanOptions.Precision

  /// A precision for each part.
  public init(frozen: PlanOptions.Precision, trained: PlanOptions.Precision) {
    self.frozen = frozen
    self.trained = trained
  }

  /// Single precision throughout.
  public static let f32 = TrainingPrecision(frozen: .f32, trained: .f32)

  /// bfloat16 throughout.
  public static let bf16 = TrainingPrecision(frozen: .bf16, trained: .bf16)

  /// bfloat16 in the frozen part where the processor has instructions for it, single precision elsewhere.
  public static var automatic: TrainingPrecision {
    TrainingPrecision(frozen: BFloat16Arithmetic.ofThisProcessor == .native ? .bf16 : .f32, trained: .f32)
  }
}
