import ArgumentParser
import Graft

/// The numbers that a network computes with.
enum PrecisionArgument: String, ExpressibleByArgument, CaseIterable {
  /// The best that this engine has.
  case auto
  case f32
  case bf16

  /// The precision that is computed with.
  ///
  /// - Throws: `EngineError.Code.unsupportedPrecision`.
  func resolved() throws -> String {
    guard self != .bf16 else {
      throw EngineError(
        .unsupportedPrecision, subject: "--precision bf16",
        detail: "the engine computes in f32 today; leave the option out or say f32")
    }
    return "f32"
  }
}

extension Fit: ExpressibleByArgument {}

/// A ready-made schedule.
enum ScheduleArgument: String, ExpressibleByArgument, CaseIterable {
  case probeThenTune = "probe-then-tune"
  case head
  case full
}

/// A ready-made augmentation.
enum AugmentationArgument: String, ExpressibleByArgument, CaseIterable {
  case none
  case flip
  case standard
  case strong
}

/// An optimizer with its usual options.
enum OptimizerArgument: String, ExpressibleByArgument, CaseIterable {
  case sgd
  case adam
  case adamW = "adamw"

  init?(argument: String) { self.init(rawValue: argument.lowercased()) }
}

/// How much the samples of each class count.
enum ClassWeightsArgument: String, ExpressibleByArgument, CaseIterable {
  case balanced
  case none

  /// The weighting that is meant.
  var weighting: ClassWeighting {
    switch self {
    case .balanced: .balanced
    case .none: .none
    }
  }
}

/// Refuses a number that is given and lies outside its range.
func requireRange(_ option: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
  guard let value, !range.contains(value) else { return }
  throw ValidationError("--\(option) must be from \(range.lowerBound) to \(range.upperBound), but is \(value)")
}
